// What contract/files.h promises, asked of the real disk and of the one in memory: the fake must not lie.
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "base/test_folder.h"
#include "connectors/local/local_files.h"
#include "contract/memory_files.h"

namespace qn {
namespace {

struct Disk {
  std::unique_ptr<Files> files;
  std::string root;
  std::function<void()> clean;
};

Disk RealDisk() {
  const std::string root = MakeTestFolder("files");
  return {std::make_unique<LocalFiles>(), root, [root] { std::filesystem::remove_all(root); }};
}

Disk MemoryDisk() {
  auto files = std::make_unique<MemoryFiles>();
  EXPECT_TRUE(files->MakeFolder("/root").ok());
  return {std::move(files), "/root", [] {}};
}

class FilesContract : public ::testing::TestWithParam<Disk (*)()> {
 protected:
  void SetUp() override { disk_ = GetParam()(); }
  void TearDown() override { disk_.clean(); }
  std::string P(const std::string& rest) { return disk_.root + "/" + rest; }
  Files& files() { return *disk_.files; }
  Disk disk_;
};

TEST_P(FilesContract, PutIfAbsentIsOnce) {
  ASSERT_TRUE(files().PutIfAbsent(P("a"), "first").ok());
  const Status second = files().PutIfAbsent(P("a"), "second");
  EXPECT_EQ(second.kind(), Kind::kConflict);
  EXPECT_NE(second.text().find(P("a")), std::string::npos);
  EXPECT_EQ(*files().Read(P("a")), "first");
}

TEST_P(FilesContract, PutReplaces) {
  ASSERT_TRUE(files().Put(P("a"), "first").ok());
  ASSERT_TRUE(files().Put(P("a"), "").ok());
  EXPECT_EQ(*files().Read(P("a")), "");
  EXPECT_EQ(files().Stat(P("a"))->size, 0u);
}

TEST_P(FilesContract, WhatIsAbsentIsNotFound) {
  EXPECT_EQ(files().Read(P("no")).status().kind(), Kind::kNotFound);
  EXPECT_EQ(files().Open(P("no")).status().kind(), Kind::kNotFound);
  EXPECT_EQ(files().Stat(P("no")).status().kind(), Kind::kNotFound);
  EXPECT_EQ(files().Sync(P("no")).kind(), Kind::kNotFound);
  EXPECT_EQ(files().SyncFolder(P("no")).kind(), Kind::kNotFound);
  EXPECT_EQ(files().PutIfAbsent(P("no/a"), "x").kind(), Kind::kNotFound);
  EXPECT_EQ(files().Put(P("no/a"), "x").kind(), Kind::kNotFound);
  EXPECT_TRUE(files().Remove(P("no")).ok());
  EXPECT_TRUE(files().List(P("no"))->empty());
}

TEST_P(FilesContract, ReadsAtAnyPlace) {
  ASSERT_TRUE(files().Put(P("a"), "0123456789").ok());
  const auto file = files().Open(P("a"));
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(*(*file)->Size(), 10u);
  char buffer[16] = {};
  EXPECT_EQ(*(*file)->ReadAt(8, buffer, 16), 2u);
  EXPECT_EQ(std::string_view(buffer, 2), "89");
  EXPECT_EQ(*(*file)->ReadAt(10, buffer, 16), 0u);
  EXPECT_EQ(*(*file)->ReadAt(1000, buffer, 16), 0u);
  EXPECT_EQ(*(*file)->ReadAt(0, buffer, 0), 0u);
}

TEST_P(FilesContract, AnOpenFileStaysWhatItWas) {
  ASSERT_TRUE(files().Put(P("a"), "old").ok());
  const auto file = files().Open(P("a"));
  ASSERT_TRUE(files().Put(P("a"), "new!").ok());
  char buffer[8];
  EXPECT_EQ(*(*file)->ReadAt(0, buffer, 8), 3u);
  EXPECT_EQ(std::string_view(buffer, 3), "old");
}

TEST_P(FilesContract, ListsAllBelowSorted) {
  ASSERT_TRUE(files().MakeFolder(P("f/b/c")).ok());
  ASSERT_TRUE(files().MakeFolder(P("f/b/c")).ok());
  for (const char* name : {"f/z", "f/b/c/y", "f/a.txt", "f/b/x", "g"})
    ASSERT_TRUE(files().Put(P(name), "12").ok());
  const auto listed = files().List(P("f"));
  ASSERT_TRUE(listed.ok());
  std::vector<std::string> paths;
  for (const FileInfo& info : *listed) {
    paths.push_back(info.path);
    EXPECT_EQ(info.size, 2u);
  }
  EXPECT_EQ(paths, (std::vector<std::string>{P("f/a.txt"), P("f/b/c/y"), P("f/b/x"), P("f/z")}));
}

TEST_P(FilesContract, RemovedIsGone) {
  ASSERT_TRUE(files().Put(P("a"), "x").ok());
  ASSERT_TRUE(files().Remove(P("a")).ok());
  EXPECT_EQ(files().Read(P("a")).status().kind(), Kind::kNotFound);
  EXPECT_TRUE(files().PutIfAbsent(P("a"), "again").ok());
}

TEST_P(FilesContract, LeavesNoHalfWrittenFiles) {
  ASSERT_TRUE(files().PutIfAbsent(P("a"), "x").ok());
  ASSERT_FALSE(files().PutIfAbsent(P("a"), "y").ok());
  ASSERT_TRUE(files().Put(P("a"), "z").ok());
  EXPECT_EQ(files().List(disk_.root)->size(), 1u);
}

TEST_P(FilesContract, KeepsBytesAsTheyAre) {
  std::string bytes;
  for (int i = 0; i < 300'000; ++i) bytes += static_cast<char>(i * 7);
  ASSERT_TRUE(files().PutIfAbsent(P("ü \"x\" 日本"), bytes).ok());
  EXPECT_EQ(*files().Read(P("ü \"x\" 日本")), bytes);
}

INSTANTIATE_TEST_SUITE_P(Disks, FilesContract, ::testing::Values(&RealDisk, &MemoryDisk),
                         [](const auto& one) { return one.index == 0 ? "Local" : "Memory"; });

}  // namespace
}  // namespace qn
