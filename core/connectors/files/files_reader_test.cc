// The promises of files_reader.h, one by one.
#include "connectors/files/files_reader.h"

#include "base/fail_point.h"
#include "connectors/files/test_world.h"

namespace qn::files {
namespace {

using testing::Test;

std::vector<std::string> Texts(const std::vector<Record>& records) {
  std::vector<std::string> texts;
  for (const Record& record : records) texts.push_back(record.text);
  return texts;
}
using Strings = std::vector<std::string>;

TEST(FilesReader, EmptyFolderEndsWithAWarning) {
  World world;
  const auto reader = world.Open();
  const auto slice = reader->Next(100);
  ASSERT_TRUE(slice.ok());
  EXPECT_EQ((*slice)->kind(), SliceKind::kEnd);
  EXPECT_EQ((*slice)->bytes(), 0U);
  EXPECT_EQ(world.warnings, (Strings{"QN-2122  No file matches '/in/*'."}));
}

TEST(FilesReader, ReadsFilesOneAfterTheOtherWithLinesAndFiles) {
  World world;
  world.files.Write("/in/b", "3\n4\n");
  world.files.Write("/in/a", "1\n2\n");
  const auto reader = world.Open();
  EXPECT_EQ(world.Drain(*reader),
            (std::vector<Record>{
                {"/in/a", 1, "1\n"}, {"/in/a", 2, "2\n"}, {"/in/b", 1, "3\n"}, {"/in/b", 2, "4\n"}}));
  EXPECT_EQ(reader->BytesRead(), 8U);
  EXPECT_EQ(reader->BytesWaiting(), 0U);
}

TEST(FilesReader, SliceTakesAboutBytesMaxOverFiles) {
  World world;
  world.files.Write("/in/a", "aa\nbb\n");
  world.files.Write("/in/b", "cc\ndd\n");
  const auto reader = world.Open();
  const auto first = reader->Next(9);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ((*first)->Files(), (Strings{"/in/a", "/in/b"}));
  EXPECT_EQ((*first)->bytes(), 9U);
  EXPECT_EQ(Texts(*Pull(**first, world.lines)), (Strings{"aa\n", "bb\n", "cc\n"}));
  EXPECT_EQ(reader->BytesWaiting(), 3U);
  EXPECT_EQ(Texts(world.Drain(*reader, 1)), (Strings{"dd\n"}));
}

TEST(FilesReader, ASliceGetsOnHoweverSmallItIs) {
  World world;
  world.files.Write("/in/a", std::string(500, 'x') + "\n" + std::string(300, 'y') + "\nz\n");
  const auto reader = world.Open();
  EXPECT_EQ(Texts(world.Drain(*reader, 1)),
            (Strings{std::string(500, 'x') + "\n", std::string(300, 'y') + "\n", "z\n"}));
}

TEST(FilesReader, ASliceIsStreamedAgain) {
  World world;
  world.files.Write("/in/a", "1\n22\n333\n");
  world.files.Write("/in/b.gz", Gzip("4\n5\n6\n"));
  const auto reader = world.Open();
  const auto slice = reader->Next(1000);
  ASSERT_TRUE(slice.ok());
  const auto once = *Pull(**slice, world.lines);
  world.files.Append("/in/a", "late\n");  // not of this slice
  EXPECT_EQ(once.size(), 6U);
  EXPECT_EQ(*Pull(**slice, world.lines), once);
}

TEST(FilesReader, UnterminatedLastRecordIsTakenInABoundedRun) {
  World world;
  world.files.Write("/in/a", "1\n2");
  const auto reader = world.Open();
  EXPECT_EQ(Texts(world.Drain(*reader)), (Strings{"1\n", "2"}));
  const Json position = world.Tell(*reader);
  world.files.Append("/in/a", "\n3\n");
  const auto again = world.Open(position);
  EXPECT_EQ(world.Drain(*again), (std::vector<Record>{{"/in/a", 3, "3\n"}}));
}

TEST(FilesReader, LineEndOfAnUnterminatedRecordMayComeInHalves) {
  World world;
  world.files.Write("/in/a", "1\n2");
  auto reader = world.Open();
  world.Drain(*reader);
  for (const char* more : {"\r", "\n", "3\n"}) {
    world.files.Append("/in/a", more);
    reader = world.Open(world.Tell(*reader));
    EXPECT_EQ(Texts(world.Drain(*reader)), more[0] == '3' ? Strings{"3\n"} : Strings{}) << more;
  }
}

TEST(FilesReader, TornLastRecordIsRefused) {
  World world;
  world.files.Write("/in/a", "1\n23");
  const auto reader = world.Open();
  world.Drain(*reader);
  world.files.Append("/in/a", "4\n5\n");
  const auto again = world.Open(world.Tell(*reader));
  EXPECT_EQ(
      world.TryDrain(*again).status().ToString(),
      "QN-2107  File '/in/a' went on in the middle of its last record.\n"
      "  line 2 had no line end when a run ended, so it was taken as whole; now bytes other than a line end "
      "follow it at byte 4\n"
      "  Nothing of this step was stored. Run with --continuous while a file is being written: then only "
      "lines "
      "with an end are taken. To read it all again: --full-refresh.");
}

TEST(FilesReader, ContinuousRunWaitsForTheLineEnd) {
  World world;
  world.options.is_continuous = true;
  world.files.Write("/in/a", "1\n2");
  const auto reader = world.Open();
  EXPECT_EQ(Texts(world.Drain(*reader)), (Strings{"1\n"}));
  EXPECT_EQ((*reader->Next(10))->kind(), SliceKind::kIdle);
  world.files.Append("/in/a", "2");
  EXPECT_EQ((*reader->Next(10))->kind(), SliceKind::kIdle) << "no record is whole, so there is no step";
  world.files.Append("/in/a", "2\n3\n4");
  EXPECT_EQ(world.Drain(*reader), (std::vector<Record>{{"/in/a", 2, "222\n"}, {"/in/a", 3, "3\n"}}));
}

TEST(FilesReader, ABoundedRunLeavesWhatIsAddedWhileItReads) {
  World world;
  world.files.Write("/in/a", "1\n2");
  bool is_written = false;
  world.files.on_read = [&](const std::string&) {
    if (!std::exchange(is_written, true)) world.files.Append("/in/a", "2\n3\n");
  };
  const auto reader = world.Open();
  EXPECT_EQ(Texts(world.Drain(*reader)), (Strings{"1\n"}))
      << "the file changed, so the last record may be torn";
  EXPECT_EQ((*reader->Next(10))->kind(), SliceKind::kEnd);
  const auto again = world.Open(world.Tell(*reader));
  EXPECT_EQ(Texts(world.Drain(*again)), (Strings{"22\n", "3\n"}));
}

TEST(FilesReader, NewFilesAreFoundBetweenSteps) {
  World world;
  world.files.Write("/in/b", "b\n");
  const auto reader = world.Open();
  EXPECT_EQ(Texts(world.Drain(*reader)), (Strings{"b\n"}));
  world.files.Write("/in/a", "a\n");
  world.files.Write("/in/c", "c\n");
  EXPECT_EQ(Texts(world.Drain(*reader)), (Strings{"a\n", "c\n"}));
  EXPECT_EQ(Texts(world.Drain(*reader)), (Strings{}));
}

TEST(FilesReader, FinishesAFileThatWasBegunBeforeALateOne) {
  World world;
  world.files.Write("/in/b", "1\n2\n");
  auto reader = world.Open();
  EXPECT_EQ(Texts(*Pull(**reader->Next(2), world.lines)), (Strings{"1\n"}));
  world.files.Write("/in/a", "0\n");
  reader = world.Open(world.Tell(*reader));
  EXPECT_EQ(Texts(world.Drain(*reader, 2)), (Strings{"2\n", "0\n"}));
}

TEST(FilesReader, WhatAFileGrewBeforeItWasOpenedComesBeforeTheNextFile) {
  World world;
  world.files.Write("/in/a", "1\n2\n");
  world.files.Write("/in/b", "9\n");
  bool is_written = false;
  world.files.on_open = [&](const std::string&) {
    if (!std::exchange(is_written, true)) world.files.Append("/in/a", "3\n4\n5\n6\n7\n");
  };
  EXPECT_EQ(Texts(world.Drain(*world.Open(), 8)),
            (Strings{"1\n", "2\n", "3\n", "4\n", "5\n", "6\n", "7\n", "9\n"}));
}

TEST(FilesReader, SameFileIsNotReadTwiceAfterARestart) {
  World world;
  world.files.Write("/in/b", "b\n");
  auto reader = world.Open();
  world.Drain(*reader);
  world.files.Write("/in/a", "a\n");
  reader = world.Open(world.Tell(*reader));
  EXPECT_EQ(Texts(world.Drain(*reader)), (Strings{"a\n"}));
}

TEST(FilesReader, OrderByModification) {
  World world;
  world.options.order = FileOrder::kModified;
  world.files.Write("/in/a", "3\n", 30);
  world.files.Write("/in/c", "1\n", 10);
  world.files.Write("/in/b", "2\n", 10);
  EXPECT_EQ(Texts(world.Drain(*world.Open())), (Strings{"2\n", "1\n", "3\n"}));
}

TEST(FilesReader, OrderByEventTimeAndItsWatermarkBound) {
  World world;
  world.options.order = FileOrder::kEventTime;
  const std::map<std::string, std::optional<int64_t>> times = {
      {"/in/a", 300}, {"/in/b", 100}, {"/in/c", 200}, {"/in/d", std::nullopt}};
  std::vector<std::string> peeked;
  world.peek = [&](const std::string& path) -> Result<std::optional<int64_t>> {
    peeked.push_back(path);
    return times.at(path);
  };
  for (const auto& [path, time] : times)
    world.files.Write(path, path.substr(4) + "\n" + path.substr(4) + "\n");
  const auto reader = world.Open();
  std::vector<std::string> order;
  std::vector<int64_t> bounds;
  for (;;) {
    const auto slice = reader->Next(4);
    ASSERT_TRUE(slice.ok()) << slice.status().ToString();
    if ((*slice)->kind() != SliceKind::kRows) break;
    const Strings texts = Texts(*Pull(**slice, world.lines));
    order.insert(order.end(), texts.begin(), texts.end());
    bounds.push_back(reader->WatermarkBound());
  }
  EXPECT_EQ(order, (Strings{"d\n", "d\n", "b\n", "b\n", "c\n", "c\n", "a\n", "a\n"}));
  EXPECT_EQ(bounds, (std::vector<int64_t>{100, 200, 300, std::numeric_limits<int64_t>::max()}));
  EXPECT_EQ(peeked, (Strings{"/in/a", "/in/b", "/in/c", "/in/d"})) << "each file is looked at once";
}

TEST(FilesReader, WatermarkIsHeldByAFileOfUnknownTime) {
  World world;
  world.options.order = FileOrder::kEventTime;
  world.peek = [](const std::string&) -> Result<std::optional<int64_t>> { return std::optional<int64_t>(); };
  world.files.Write("/in/a", "1\n");
  world.files.Write("/in/b", "2\n");
  const auto reader = world.Open();
  ASSERT_TRUE(reader->Next(1).ok());
  EXPECT_EQ(reader->WatermarkBound(), std::numeric_limits<int64_t>::min());
}

TEST(FilesReader, NoBoundInOtherOrders) {
  World world;
  world.files.Write("/in/a", "1\n");
  const auto reader = world.Open();
  EXPECT_EQ(reader->WatermarkBound(), std::numeric_limits<int64_t>::max());
}

TEST(FilesReader, PeekFailureNamesTheFile) {
  World world;
  world.options.order = FileOrder::kEventTime;
  world.peek = [](const std::string&) -> Result<std::optional<int64_t>> { return Failed("QN-2001", "No."); };
  world.files.Write("/in/a", "1\n");
  EXPECT_EQ(world.Open()->Next(1).status().ToString(),
            "QN-2001  No.\n  while looking for the first event time of '/in/a'");
}

TEST(FilesReader, HiddenAndTemporaryNamesAreLeftOut) {
  World world;
  for (const char* name : {"/in/_SUCCESS", "/in/.tmp", "/in/_tmp/x", "/in/ok", "/in/sub/.x", "/in/a_b"}) {
    world.files.Write(name, std::string(name) + "\n");
  }
  EXPECT_EQ(Texts(world.Drain(*world.Open())), (Strings{"/in/a_b\n", "/in/ok\n"}));
  world.options.glob = "/in/_*";
  EXPECT_EQ(Texts(world.Drain(*world.Open())), (Strings{"/in/_SUCCESS\n", "/in/_tmp/x\n"}));
  world.options.glob = "/in/{.,_}*";
  world.options.glob = "/in/.tmp";
  EXPECT_EQ(Texts(world.Drain(*world.Open())), (Strings{"/in/.tmp\n"}));
}

TEST(FilesReader, ShrunkFileIsRefused) {
  World world;
  world.files.Write("/in/a", "1\n2\n3\n");
  const auto reader = world.Open();
  ASSERT_EQ(Texts(*Pull(**reader->Next(4), world.lines)), (Strings{"1\n", "2\n"}));
  const Json position = world.Tell(*reader);
  world.files.Write("/in/a", "1\n");
  const std::string expected =
      "QN-2103  File '/in/a' became shorter after it was read.\n"
      "  read before: 4 bytes; it has now: 2\n"
      "  We do not guess what is new in it. Nothing of this step was stored.\n"
      "  Put the old content back, or give the new content a new name.";
  EXPECT_EQ(world.TryDrain(*reader).status().ToString(), expected);
  EXPECT_EQ(world.TryDrain(*world.Open(position)).status().ToString(), expected);
}

TEST(FilesReader, ReplacedFileIsRefused) {
  World world;
  world.files.Write("/in/a", "1\n2\n3\n");
  const auto reader = world.Open();
  ASSERT_EQ(Texts(*Pull(**reader->Next(4), world.lines)), (Strings{"1\n", "2\n"}));
  const Json position = world.Tell(*reader);
  world.files.Write("/in/a", "1\n9\n3\n4\n");
  EXPECT_EQ(world.TryDrain(*world.Open(position)).status().ToString(),
            "QN-2103  File '/in/a' was replaced or overwritten after it was read.\n"
            "  the first 4 bytes, read before, are no longer the same\n"
            "  We do not guess what is new in it. Nothing of this step was stored.\n"
            "  Put the old content back, or give the new content a new name.");
}

TEST(FilesReader, FileReplacedByALongerOneOfTheSameBeginningIsRefused) {
  World world;
  const std::string head(5000, 'h');
  world.files.Write("/in/a", head + "\n" + head + "\nrest\n");
  const auto reader = world.Open();
  ASSERT_TRUE(Pull(**reader->Next(10002), world.lines).ok());
  const Json position = world.Tell(*reader);
  world.files.Write("/in/a", head + "\n" + std::string(4999, 'h') + "X\nrest\n");
  EXPECT_EQ(world.TryDrain(*world.Open(position)).status().code(), "QN-2103");
}

TEST(FilesReader, FileMovedOverByASyncToolThatOnlyGrewIsReadOn) {
  World world;
  world.files.Write("/in/a", "1\n2\n");
  const auto reader = world.Open();
  world.Drain(*reader);
  world.files.Write("/in/a", "1\n2\n3\n");  // another inode
  EXPECT_EQ(Texts(world.Drain(*world.Open(world.Tell(*reader)))), (Strings{"3\n"}));
}

TEST(FilesReader, FinishedFileMayBeEmptiedOrDeleted) {
  World world;
  world.files.Write("/in/a", "1\n");
  world.files.Write("/in/b", "2\n");
  auto reader = world.Open();
  world.Drain(*reader);
  world.files.Write("/in/a", "");
  world.files.Delete("/in/b");
  EXPECT_EQ(Texts(world.Drain(*reader)), (Strings{}));
  reader = world.Open(world.Tell(*reader));
  EXPECT_EQ(Texts(world.Drain(*reader)), (Strings{}));
  world.files.Write("/in/b", "2\n");  // the folder was not mounted for a while
  EXPECT_EQ(Texts(world.Drain(*reader)), (Strings{}));
}

TEST(FilesReader, FinishedFileOverwrittenByOneOfItsSizeIsRefused) {
  const std::string expected =
      "QN-2103  File '/in/a' was replaced or overwritten after it was read.\n"
      "  the first 4 bytes, read before, are no longer the same\n"
      "  We do not guess what is new in it. Nothing of this step was stored.\n"
      "  Put the old content back, or give the new content a new name.";
  for (const bool is_continuous : {false, true}) {
    World world;
    world.options.is_continuous = is_continuous;
    world.files.Write("/in/a", "1\n2\n");
    const auto reader = world.Open();
    ASSERT_EQ(world.Drain(*reader).size(), 2U);
    const Json position = world.Tell(*reader);
    world.files.Write("/in/a", "1\n9\n");
    EXPECT_EQ(world.TryDrain(*reader).status().ToString(), expected);
    EXPECT_EQ(world.TryDrain(*world.Open(position)).status().ToString(), expected);
    world.files.Write("/in/a", "1\n2\n");
    EXPECT_EQ(world.Drain(*world.Open(position)).size(), 0U);
  }
}

TEST(FilesReader, FinishedFileThatWasOnlyTouchedIsLookedAtOnce) {
  World world;
  world.files.Write("/in/a", "1\n2\n");
  auto reader = world.Open();
  ASSERT_EQ(world.Drain(*reader).size(), 2U);
  int opened = 0;
  world.files.on_open = [&opened](const std::string&) { ++opened; };
  EXPECT_EQ(world.Drain(*reader).size(), 0U);
  EXPECT_EQ(opened, 0);
  world.files.Write("/in/a", "1\n2\n");
  EXPECT_EQ(world.Drain(*reader).size(), 0U);
  EXPECT_EQ(world.Drain(*reader).size(), 0U);
  EXPECT_EQ(opened, 1);
  reader = world.Open(world.Tell(*reader));
  EXPECT_EQ(world.Drain(*reader).size(), 0U);
  EXPECT_EQ(opened, 1);
  EXPECT_EQ(world.warnings, Strings{});
  // What cannot be looked at is of no interest: all of it is read.
  world.files.Write("/in/a", "1\n9\n");
  world.files.Change("/in/a", [](FakeFile& file) { file.is_unreadable = true; });
  EXPECT_EQ(world.Drain(*reader).size(), 0U);
}

TEST(FilesReader, TouchedFileWhoseLastLineWaitsIsReadOn) {
  World world;
  world.options.is_continuous = true;
  world.files.Write("/in/a", "1\n2");
  const auto reader = world.Open();
  ASSERT_EQ(Texts(world.Drain(*reader)), (Strings{"1\n"}));
  world.files.Write("/in/a", "1\n2");
  world.options.is_continuous = false;
  EXPECT_EQ(Texts(world.Drain(*world.Open(world.Tell(*reader)))), (Strings{"2"}));
}

TEST(FilesReader, FileThatShrinksWhileItIsReadIsRefused) {
  World world;
  world.files.Write("/in/a", std::string(1000, 'x') + "\n");
  int reads = 0;
  world.files.on_read = [&](const std::string&) {
    if (++reads == 3) world.files.Change("/in/a", [](FakeFile& file) { file.bytes.resize(200); });
  };
  const Status status = world.TryDrain(*world.Open()).status();
  EXPECT_EQ(status.code(), "QN-2103");
  EXPECT_EQ(status.lines()[0], "read before: 1,001 bytes; it has now: 200");
}

TEST(FilesReader, FileThatVanishesBeforeItIsBegunIsSkipped) {
  World world;
  world.files.Write("/in/a", "1\n");
  world.files.Write("/in/b", "2\n");
  const auto reader = world.Open();
  const auto slice = reader->Next(100);
  ASSERT_TRUE(slice.ok());
  world.files.Delete("/in/a");
  EXPECT_EQ(Texts(*Pull(**slice, world.lines)), (Strings{"2\n"}));
  EXPECT_EQ(Texts(*Pull(**slice, world.lines)), (Strings{"2\n"}));
  EXPECT_EQ((*reader->Next(100))->kind(), SliceKind::kEnd);
  EXPECT_EQ(world.warnings, (Strings{"QN-2120  File '/in/a' vanished before it was begun; it is skipped."}));
  world.files.Write("/in/a", "1\n");  // it is back: nothing of it was read
  EXPECT_EQ(Texts(world.Drain(*reader)), (Strings{"1\n"}));
}

TEST(FilesReader, FileThatVanishesInItsMiddleIsRefused) {
  World world;
  world.files.Write("/in/a", "1\n2\n3\n");
  const auto reader = world.Open();
  ASSERT_EQ(Texts(*Pull(**reader->Next(4), world.lines)), (Strings{"1\n", "2\n"}));
  world.files.Delete("/in/a");
  EXPECT_EQ(world.TryDrain(*reader).status().ToString(),
            "QN-2109  File '/in/a' vanished before it was read to its end.\n"
            "  read from it before: 2 lines, 4 bytes\n"
            "  Nothing of this step was stored. Put it back, or accept the loss with --full-refresh.");
}

TEST(FilesReader, FileThatVanishesInItsMiddleBetweenTwoRunsIsRefused) {
  World world;
  world.files.Write("/in/a", "1\n2\n3\n");
  world.files.Write("/in/b", "4\n");
  const auto reader = world.Open();
  ASSERT_EQ(Texts(*Pull(**reader->Next(4), world.lines)), (Strings{"1\n", "2\n"}));
  const Json position = world.Tell(*reader);
  world.files.Delete("/in/a");
  EXPECT_EQ(world.TryDrain(*world.Open(position)).status().ToString(),
            "QN-2109  File '/in/a' vanished before it was read to its end.\n"
            "  read from it before: 2 lines, 4 bytes\n"
            "  Nothing of this step was stored. Put it back, or accept the loss with --full-refresh.");
  world.files.Write("/in/a", "1\n2\n3\n");
  EXPECT_EQ(Texts(world.Drain(*world.Open(position))), (Strings{"3\n", "4\n"}));
}

TEST(FilesReader, UnreadableFileIsNamed) {
  World world;
  world.files.Write("/in/a", "1\n");
  world.files.Change("/in/a", [](FakeFile& file) { file.is_unreadable = true; });
  EXPECT_EQ(world.TryDrain(*world.Open()).status().ToString(),
            "QN-2102  File '/in/a' cannot be read.\n"
            "  QN-3102  '/in/a': Permission denied.\n"
            "  Nothing of this step was stored. Make the file readable, or move it out of the glob.");
}

TEST(FilesReader, ListingFailureIsNamed) {
  World world;
  world.files.glob_failure = Failed("QN-3102", "'/in': Permission denied.");
  EXPECT_EQ(world.TryDrain(*world.Open()).status().ToString(),
            "QN-2101  The files of '/in/*' cannot be listed.\n"
            "  QN-3102  '/in': Permission denied.\n"
            "  Nothing of this step was stored. Check the path and its permissions.");
}

TEST(FilesReader, PositionOfAnotherGlobOrOrderIsRefused) {
  World world;
  world.files.Write("/in/a", "1\n");
  const auto reader = world.Open();
  world.Drain(*reader);
  const Json position = world.Tell(*reader);
  world.options.glob = "/in/*.json";
  EXPECT_EQ(world.TryOpen(position).status().ToString(),
            "QN-2110  The glob of this file source was changed.\n"
            "  read so far with: /in/*\n"
            "  now: /in/*.json\n"
            "  What was read and what is new cannot be told apart any more. Nothing was read.\n"
            "  Change it back, give the source a new name, or begin anew with --full-refresh.");
  world.options.glob = "/in/*";
  world.options.order = FileOrder::kModified;
  EXPECT_EQ(world.TryOpen(position).status().text(), "The order of this file source was changed.");
  world.splitter = nullptr;
  EXPECT_EQ(world.TryOpen(position).status().text(), "The content of this file source was changed.");
}

TEST(FilesReader, DamagedPositionIsRefused) {
  World world;
  world.files.Write("/in/a", "1\n");
  const auto reader = world.Open();
  world.Drain(*reader);
  const Json good = world.Tell(*reader);
  const auto text_of = [&](const Json& position) { return world.TryOpen(position).status().text(); };
  EXPECT_EQ(text_of(Json("x")),
            "The saved position of a file source cannot be read: it is not a JSON object.");
  Json bad = good;
  bad.Set("v", 2);
  EXPECT_EQ(text_of(bad),
            "The saved position of a file source cannot be read: its version is 2, this Qanat knows 1.");
  bad = good;
  bad.Set("files", "x");
  EXPECT_EQ(text_of(bad),
            "The saved position of a file source cannot be read: its list of files is missing.");
  bad = good;
  bad.Set("files", Json::Array{"%%%%"});
  EXPECT_EQ(text_of(bad),
            "The saved position of a file source cannot be read: its list of files is not base64.");
}

TEST(FilesReader, OversizeRecordIsPassedOver) {
  World world;
  world.options.record_bytes_max = 200;
  const std::string big(5000, 'B');
  world.files.Write("/in/a", "1\n" + big + "\n3\n" + big + "\n");
  world.files.Write("/in/b", big);
  std::vector<Record> records = world.Drain(*world.Open(), 300);
  for (Record& record : records) {
    if (record.oversize > 0) {
      EXPECT_GE(record.text.size(), 64U) << "enough of a head to know it again";
    }
    record.text.resize(std::min<size_t>(record.text.size(), 3));
  }
  EXPECT_EQ(records, (std::vector<Record>{{"/in/a", 1, "1\n", 0},
                                          {"/in/a", 2, "BBB", 5001},
                                          {"/in/a", 3, "3\n", 0},
                                          {"/in/a", 4, "BBB", 5001},
                                          {"/in/b", 1, "BBB", 5000}}));
}

TEST(FilesReader, WhatIsTooLargeDoesNotDependOnTheCuts) {
  World world;
  world.options.record_bytes_max = 400;
  const std::string at_limit = std::string(399, 'x') + "\n";
  const std::string above = std::string(400, 'y') + "\n";
  for (size_t before = 0; before < 70; ++before) {
    world.files.Write("/in/a", std::string(before, 'b') + "\n" + at_limit + above + "z\n");
    for (const uint64_t bytes_max : {1, 100, 10'000}) {
      const std::vector<Record> records = world.Drain(*world.Open(), bytes_max);
      ASSERT_EQ(records.size(), 4U) << before;
      EXPECT_EQ(records[1], (Record{"/in/a", 2, at_limit, 0}));
      EXPECT_EQ(records[2].oversize, 401U);
      EXPECT_EQ(records[3], (Record{"/in/a", 4, "z\n", 0}));
    }
  }
}

TEST(FilesReader, FailPoints) {
  World world;
  world.files.Write("/in/a", "1\n");
  for (const char* name : {"files.next", "files.read"}) {
    ASSERT_TRUE(ArmFailPoints(std::string(name) + "=error").ok());
    EXPECT_EQ(world.TryDrain(*world.Open()).status().code(), "QN-9002") << name;
  }
  ASSERT_TRUE(ArmFailPoints("").ok());
  EXPECT_EQ(Texts(world.Drain(*world.Open())), (Strings{"1\n"}));
}

TEST(FilesReader, FirstRecordsOfAFile) {
  World world;
  world.files.Write("/in/a.gz", Gzip("1\n2\n"));
  world.files.Write("/in/short", "1");
  world.files.Write("/in/empty", "");
  const auto first = FirstRecords(world.files, world.lines, "/in/a.gz");
  ASSERT_TRUE(first.ok() && first->has_value());
  EXPECT_EQ(std::string((*first)->data, (*first)->size), "1\n2\n");
  const auto unterminated = FirstRecords(world.files, world.lines, "/in/short");
  ASSERT_TRUE(unterminated.ok() && unterminated->has_value());
  EXPECT_EQ((*unterminated)->size, 1U);
  const auto none = FirstRecords(world.files, world.lines, "/in/empty");
  ASSERT_TRUE(none.ok()) << none.status().ToString();
  EXPECT_FALSE(none->has_value());
}

}  // namespace
}  // namespace qn::files
