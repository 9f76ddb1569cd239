// Exact, ordered, small, and not fooled by damaged text.
#include "connectors/files/seen_files.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <map>
#include <random>

#include "connectors/files/seen_files_codec.h"

namespace qn::files {
namespace {

SeenFile Finished(std::string path, uint64_t size, int64_t modified_ns = 1) {
  SeenFile file;
  file.path = std::move(path);
  file.mark = {size, size / 100 + 1, size, static_cast<uint32_t>(size * 2654435761U), false};
  file.is_finished = true;
  file.size = size;
  file.modified_ns = modified_ns;
  return file;
}

SeenFiles Reloaded(const SeenFiles& seen) {
  const Result<Json> saved = Json::Parse(seen.Save().Dump());
  EXPECT_TRUE(saved.ok());
  Result<SeenFiles> loaded = SeenFiles::Load(*saved);
  EXPECT_TRUE(loaded.ok()) << loaded.status().ToString();
  return loaded.ok() ? std::move(*loaded) : SeenFiles();
}

std::vector<SeenFile> All(const SeenFiles& seen, const std::vector<std::string>& paths) {
  std::vector<SeenFile> all;
  for (const std::string& path : paths) {
    if (const SeenFile* file = seen.Find(path)) all.push_back(*file);
  }
  return all;
}

TEST(SeenFiles, EmptyComesBackEmpty) {
  EXPECT_EQ(SeenFiles().Save().Dump(), "[]");
  EXPECT_EQ(Reloaded(SeenFiles()).size(), 0U);
  EXPECT_EQ(SeenFiles().Find("x"), nullptr);
}

TEST(SeenFiles, EveryKindOfStateComesBack) {
  SeenFiles seen;
  SeenFile partial = Finished("/a/partial", 10);
  partial.is_finished = false;
  partial.size = 0;
  SeenFile archive = Finished("/a/x.gz", 1U << 30);
  archive.mark.offset = uint64_t{1} << 40;
  archive.mark.line = uint64_t{1} << 33;
  SeenFile open_end = Finished("/a/\xc3\xa9 \"quoted\"\n", 7, -5);
  open_end.mark.unterminated = true;
  SeenFile whole = Finished("/a/parquet", 0, 0);
  whole.has_mark = false;
  whole.mark = {};
  for (const SeenFile& file : {partial, archive, open_end, whole}) seen.Put(file);
  const SeenFiles again = Reloaded(seen);
  EXPECT_EQ(again.size(), 4U);
  for (const SeenFile& file : {partial, archive, open_end, whole}) {
    ASSERT_NE(again.Find(file.path), nullptr) << file.path;
    EXPECT_EQ(*again.Find(file.path), file) << file.path;
  }
  EXPECT_EQ(again.Find("/a/other"), nullptr);
}

TEST(SeenFiles, RandomNamesInRandomOrderComeBack) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    std::mt19937_64 dice(seed);
    constexpr std::string_view kLetters = "0019-/.a";
    SeenFiles seen;
    std::map<std::string, SeenFile> expected;
    for (int i = 0; i < 3000; ++i) {
      std::string path = "/";
      for (size_t n = dice() % 25; n > 0; --n) path += kLetters[dice() % kLetters.size()];
      const SeenFile file = Finished(path, dice() % 1000, static_cast<int64_t>(dice() % 5));
      expected[path] = file;
      seen.Put(file);
      if (dice() % 300 == 0) seen = Reloaded(seen);
    }
    const SeenFiles again = Reloaded(seen);
    ASSERT_EQ(again.size(), expected.size());
    for (const auto& [path, file] : expected) {
      ASSERT_NE(again.Find(path), nullptr) << path;
      ASSERT_EQ(*again.Find(path), file) << path;
      ASSERT_EQ(again.Find(path + "!"), nullptr);
    }
  }
}

TEST(SeenFiles, CountedNamesNearTheEdges) {
  SeenFiles seen;
  std::vector<std::string> paths = {"/9",
                                    "/10",
                                    "/09",
                                    "/099",
                                    "/100",
                                    "/a9b",
                                    "/a10b",
                                    "/a10c",
                                    "/a010c",
                                    "/0",
                                    "/00",
                                    "/000",
                                    "/001",
                                    "/1",
                                    "/1a1",
                                    "/1a2",
                                    "/2a1",
                                    "/2a10",
                                    "/99999999999999999999999",
                                    "/999999999999999999",
                                    "/1000000000000000000",
                                    "/99999999999999999999998"};
  for (const std::string& path : paths) seen.Put(Finished(path, 1));
  const SeenFiles again = Reloaded(seen);
  EXPECT_EQ(All(again, paths).size(), paths.size());
  EXPECT_EQ(again.size(), paths.size());
}

TEST(SeenFiles, MarksOfTheFilesModifiedLastAreKept) {
  SeenFiles seen;
  const size_t files = kMarksMax + 100;
  const auto path = [](size_t i) { return "/" + std::to_string(i); };
  for (size_t i = 0; i < files; ++i) seen.Put(Finished(path(i), 5, static_cast<int64_t>(files - i)));
  SeenFile waiting = Finished("/waiting", 5, 0);  // oldest, but its rest is still to come
  waiting.is_finished = false;
  seen.Put(waiting);
  EXPECT_TRUE(seen.Find(path(files - 1))->has_mark) << "the process that read it still knows";
  const SeenFiles again = Reloaded(seen);
  size_t marks = 0;
  for (size_t i = 0; i < files; ++i) {
    ASSERT_TRUE(again.Find(path(i)) != nullptr);
    ASSERT_TRUE(again.Find(path(i))->is_finished);
    if (again.Find(path(i))->has_mark) ++marks;
  }
  EXPECT_EQ(marks, kMarksMax);
  EXPECT_TRUE(again.Find(path(0))->has_mark);
  EXPECT_FALSE(again.Find(path(files - 1))->has_mark);
  EXPECT_EQ(*again.Find("/waiting"), waiting);
}

TEST(SeenFiles, AHundredThousandNumberedFilesAreSmall) {
  SeenFiles seen;
  char path[100];
  for (int i = 0; i < 100'000; ++i) {
    std::snprintf(path, sizeof(path), "/data/events/2026/part-%06d.jsonl.gz", i);
    seen.Put(Finished(path, 100'000 + static_cast<uint64_t>(i) * 7919 % 50'000, i));
  }
  const std::string saved = seen.Save().Dump();
  EXPECT_LT(saved.size(), 110'000U);
  RecordProperty("bytes", static_cast<int>(saved.size()));
  EXPECT_EQ(Reloaded(seen).size(), 100'000U);
}

TEST(SeenFiles, SavingCostsWhatChanged) {
  SeenFiles seen;
  for (int i = 0; i < 20'000; ++i) seen.Put(Finished("/" + std::to_string(i), 5, i));
  const Json before = seen.Save();
  seen.Put(Finished("/5", 6, 20'001));
  const Json after = seen.Save();
  ASSERT_EQ(before.Items().size(), after.Items().size());
  size_t changed = 0;
  for (size_t i = 0; i < before.Items().size(); ++i) changed += before.At(i) == after.At(i) ? 0 : 1;
  EXPECT_LE(changed, 2U) << "the file's leaf, and that of the one whose mark had to go";
}

TEST(SeenFiles, DamagedTextIsRefused) {
  std::vector<SeenFile> files;
  for (int i = 0; i < 200; ++i) files.push_back(Finished("/" + std::to_string(1000 + i * i), 5, i));
  const std::string good = PackFiles(files, [](const SeenFile&) { return true; });
  std::vector<SeenFile> out;
  ASSERT_EQ(UnpackFiles(good, &out), "");
  ASSERT_EQ(out, files);
  EXPECT_EQ(UnpackFiles("", &out), "its list of files is not base64");
  EXPECT_EQ(UnpackFiles("AAAA", &out), "its list of files cannot be unpacked");
  std::mt19937_64 dice(1);
  for (int i = 0; i < 5000; ++i) {
    std::string bad = good;
    if (i % 2 == 0) bad.resize(dice() % bad.size());
    if (!bad.empty()) bad[dice() % bad.size()] = static_cast<char>('A' + dice() % 26);
    static_cast<void>(UnpackFiles(bad, &out));  // must come back, whatever it says
  }
  Json unsorted;
  unsorted.Push(PackFiles({files[1]}, [](const SeenFile&) { return true; }));
  unsorted.Push(PackFiles({files[0]}, [](const SeenFile&) { return true; }));
  EXPECT_EQ(SeenFiles::Load(unsorted).status().text(),
            "The saved position of a file source cannot be read: its list of files is not in order.");
}

}  // namespace
}  // namespace qn::files
