// gzip and zstd sources: whole, concatenated, cut off, damaged, still being written, and bombs.
#include "connectors/files/compression.h"
#include "connectors/files/test_world.h"

namespace qn::files {
namespace {

using Strings = std::vector<std::string>;

Strings Texts(const std::vector<Record>& records) {
  Strings texts;
  for (const Record& record : records) texts.push_back(record.text);
  return texts;
}

struct Form {
  const char* name;
  const char* end;
  std::string (*pack)(std::string_view);
};

class Archive : public testing::TestWithParam<Form> {
 protected:
  std::string Path(const std::string& name = "a") const { return "/in/" + name + GetParam().end; }
  std::string Pack(std::string_view text) const { return GetParam().pack(text); }
  World world;
};

INSTANTIATE_TEST_SUITE_P(Forms, Archive,
                         testing::Values(Form{"gzip", ".gz", &Gzip}, Form{"zstd", ".zst", &Zstd}),
                         [](const auto& form) { return std::string(form.param.name); });

std::string Lines(int begin, int end) {
  std::string text;
  for (int i = begin; i < end; ++i) text += "line " + std::to_string(i) + "\n";
  return text;
}

TEST_P(Archive, IsToldByItsFirstBytesWhateverItsName) {
  world.files.Write("/in/a.jsonl", Pack("1\n"));
  EXPECT_EQ(Texts(world.Drain(*world.Open())), (Strings{"1\n"}));
}

TEST_P(Archive, MembersFollowEachOtherAlsoWithinARecord) {
  world.files.Write(Path(), Pack("1\n2") + Pack("") + Pack("2\n3\n"));
  EXPECT_EQ(world.Drain(*world.Open()),
            (std::vector<Record>{{Path(), 1, "1\n"}, {Path(), 2, "22\n"}, {Path(), 3, "3\n"}}));
}

TEST_P(Archive, UnterminatedLastRecord) {
  world.files.Write(Path(), Pack("1\n2"));
  auto reader = world.Open();
  EXPECT_EQ(Texts(world.Drain(*reader)), (Strings{"1\n", "2"}));
  world.files.Append(Path(), Pack("\r"));
  reader = world.Open(world.Tell(*reader));
  EXPECT_EQ(Texts(world.Drain(*reader)), Strings{});
  world.files.Append(Path(), Pack("\n3\n"));
  reader = world.Open(world.Tell(*reader));
  EXPECT_EQ(world.Drain(*reader), (std::vector<Record>{{Path(), 3, "3\n"}}));
}

TEST_P(Archive, TornLastRecordIsRefused) {
  world.files.Write(Path(), Pack("1\n2"));
  auto reader = world.Open();
  world.Drain(*reader);
  world.files.Append(Path(), Pack("3\n"));
  EXPECT_EQ(world.TryDrain(*world.Open(world.Tell(*reader))).status().code(), "QN-2107");
}

TEST_P(Archive, CutOffStopsABoundedRun) {
  const std::string whole = Pack(Lines(0, 1000));
  world.options.block_bytes = 1000;
  for (const size_t size : {whole.size() - 1, whole.size() / 2, size_t{9}, size_t{2}, size_t{1}}) {
    world.files.Write(Path(), whole.substr(0, size));
    const Status status = world.TryDrain(*world.Open()).status();
    EXPECT_EQ(status.code(), "QN-2105") << size << "\n" << status.ToString();
  }
  world.files.Write(Path(), whole.substr(0, 9));
  const std::string name = GetParam().name;
  EXPECT_EQ(world.TryDrain(*world.Open()).status().ToString(),
            "QN-2105  Archive '" + Path() + "' is cut off (" + name +
                ").\n"
                "  at byte 9 of 9 stored bytes; read from it before: 0 lines, 0 bytes\n"
                "  Nothing of this step was stored.\n"
                "  If it is still being written, wait for it, or run with --continuous, which waits.");
}

TEST_P(Archive, CutOffSaysWhatWasRead) {
  std::string noise;  // so that the archive is larger than the input buffer
  uint64_t state = 1;
  for (int i = 0; i < 20'000; ++i) {
    for (int k = 0; k < 5; ++k) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      noise += std::to_string(state);
    }
    noise += '\n';
  }
  const std::string whole = Pack(noise);
  world.options.block_bytes = 10'000;
  world.files.Write(Path(), whole.substr(0, whole.size() - 5));
  const Status status = world.TryDrain(*world.Open()).status();
  EXPECT_EQ(status.code(), "QN-2105");
  const std::string line = status.lines()[0];
  const bool says_most =
      line.find("before: 20,000 lines") != std::string::npos ||  // only the trailer is missing
      line.find("before: 19,") != std::string::npos || line.find("before: 18,") != std::string::npos;
  EXPECT_TRUE(says_most) << line;
}

TEST_P(Archive, CutOffIsWaitedForInAContinuousRun) {
  world.options.is_continuous = true;
  world.options.block_bytes = 1000;
  const std::string whole = Pack(Lines(0, 1000));
  auto reader = world.Open();
  std::string got;
  for (size_t i = 0; i < whole.size(); i += 97) {
    world.files.Append(Path(), whole.substr(i, 97));
    for (const std::string& text : Texts(world.Drain(*reader, 3000))) got += text;
    if (i % 3 == 0) reader = world.Open(world.Tell(*reader));
  }
  EXPECT_EQ(got, Lines(0, 1000));
}

TEST_P(Archive, DamageIsNamed) {
  std::string bytes = Pack(Lines(0, 1000));
  bytes[bytes.size() - 3] = static_cast<char>(bytes[bytes.size() - 3] ^ 0x55);
  world.files.Write(Path(), bytes);
  const Status status = world.TryDrain(*world.Open()).status();
  EXPECT_EQ(status.code(), "QN-2104") << status.ToString();
  const std::string begin = "Archive '" + Path() + "' is damaged (" + GetParam().name + ": ";
  EXPECT_TRUE(status.text().starts_with(begin)) << status.text();
  EXPECT_EQ(status.lines()[2], "Check it with `" + std::string(GetParam().name) +
                                   " -t`. Repair it, or move it out of the glob.");
}

TEST_P(Archive, AnyDamagedByteIsNoticedOrHarmless) {
  const std::string text = Lines(0, 300);
  const std::string good = Pack(text);
  for (size_t i = 0; i < good.size(); ++i) {
    World other;
    std::string bytes = good;
    bytes[i] = static_cast<char>(bytes[i] ^ 0x10);
    other.files.Write(Path(), bytes);
    const auto records = other.TryDrain(*other.Open());
    if (!records.ok()) {
      EXPECT_TRUE(records.status().code() == "QN-2104" || records.status().code() == "QN-2105" ||
                  records.status().code() == "QN-2106")
          << records.status().ToString();
    }
  }
}

TEST_P(Archive, WhatIsNotAnArchiveIsDamaged) {
  world.files.Write(Path(), "just text\n");
  const Status status = world.TryDrain(*world.Open()).status();
  EXPECT_EQ(status.code(), "QN-2104");
  EXPECT_EQ(status.lines()[0], "at byte 0 of 10 stored bytes; read from it before: 0 lines, 0 bytes");
}

TEST_P(Archive, AfterARestartItGoesOnWhereItWas) {
  world.options.block_bytes = 100;
  world.files.Write(Path(), Pack(Lines(0, 500)));
  auto reader = world.Open();
  std::string got;
  for (int step = 0; step < 1000; ++step) {
    auto slice = reader->Next(500);
    ASSERT_TRUE(slice.ok());
    if ((*slice)->kind() != SliceKind::kRows) break;
    for (const std::string& text : Texts(*Pull(**slice, world.lines))) got += text;
    if (step % 2 == 0) reader = world.Open(world.Tell(*reader));
  }
  EXPECT_EQ(got, Lines(0, 500));
}

TEST_P(Archive, ReplacedInItsMiddleIsRefused) {
  world.options.block_bytes = 100;
  world.files.Write(Path(), Pack(Lines(0, 500)));
  auto reader = world.Open();
  ASSERT_TRUE(Pull(**reader->Next(500), world.lines).ok());
  const Json position = world.Tell(*reader);
  world.files.Write(Path(), Pack(Lines(1000, 3000)));
  EXPECT_EQ(world.TryDrain(*world.Open(position)).status().code(), "QN-2103");
}

TEST_P(Archive, ASliceKeepsNoMoreThanItMay) {
  world.options.block_bytes = 1000;
  world.files.Write(Path(), Pack(std::string(1'000'000, '\n')));  // a bomb: a thousandth of it is stored
  const auto reader = world.Open();
  uint64_t lines = 0;
  size_t slices = 0;
  for (;; ++slices) {
    const auto slice = reader->Next(10'000);
    ASSERT_TRUE(slice.ok());
    if ((*slice)->kind() != SliceKind::kRows) break;
    const size_t records = Pull(**slice, world.lines)->size();
    EXPECT_LE(records, 11'000U);
    lines += records;
  }
  EXPECT_EQ(lines, 1'000'000U);
  EXPECT_GE(slices, 90U);
}

TEST_P(Archive, ManySmallOnesShareASlice) {
  for (int i = 10; i < 60; ++i) world.files.Write(Path(std::to_string(i)), Pack(std::to_string(i) + "\n"));
  const auto reader = world.Open();
  const auto slice = reader->Next(1'000'000);
  EXPECT_EQ(Pull(**slice, world.lines)->size(), 50U);
}

TEST(ArchiveForm, ZeroBytesAfterGzipArePadding) {
  World world;
  world.files.Write("/in/a.gz", Gzip("1\n") + std::string(1000, '\0'));
  EXPECT_EQ(Texts(world.Drain(*world.Open())), (Strings{"1\n"}));
  world.files.Write("/in/a.gz", Gzip("1\n") + std::string(10, '\0') + "x");
  EXPECT_EQ(world.TryDrain(*world.Open()).status().text(),
            "Archive '/in/a.gz' is damaged (gzip: data after the zero bytes that pad its end).");
}

TEST(ArchiveForm, TooLargeAZstdWindowIsRefused) {
  World world;
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, kZstdWindowLogMax + 1);
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  ZSTD_inBuffer in{"1\n", 2, 0};
  std::string bytes(1000, '\0');
  ZSTD_outBuffer out{bytes.data(), bytes.size(), 0};
  ZSTD_compressStream2(context, &out, &in, ZSTD_e_flush);
  ZSTD_compressStream2(context, &out, &in, ZSTD_e_end);
  ZSTD_freeCCtx(context);
  bytes.resize(out.pos);
  world.files.Write("/in/a.zst", bytes);
  const Status status = world.TryDrain(*world.Open()).status();
  EXPECT_EQ(status.code(), "QN-2106") << status.ToString();
  EXPECT_EQ(status.text(), "Archive '/in/a.zst' needs a zstd window of more than 128 MiB.");
}

TEST(ArchiveForm, SkippableZstdFramesAreSkipped) {
  World world;
  world.files.Write("/in/a", std::string("\x50\x2a\x4d\x18\x03\x00\x00\x00xyz", 11) + Zstd("1\n"));
  EXPECT_EQ(Texts(world.Drain(*world.Open())), (Strings{"1\n"}));
}

}  // namespace
}  // namespace qn::files
