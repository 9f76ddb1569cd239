// Checkpoints come back whole, or are refused in words; never silently from nothing.
#include "connectors/local/checkpoint_store.h"

#include <gtest/gtest.h>

#include "contract/memory_files.h"

namespace qn {
namespace {

constexpr char kFolder[] = "/lake/_qanat/checkpoints";

Checkpoint Make(Epoch epoch) {
  Checkpoint checkpoint;
  checkpoint.epoch = epoch;
  checkpoint.body.Set("epoch", epoch);
  checkpoint.body.Set("text", "line\nü \"quoted\"");
  checkpoint.body.Set("ratio", 0.1);
  return checkpoint;
}

std::string Path(Epoch epoch) {
  std::string digits = std::to_string(epoch);
  return std::string(kFolder) + "/" + std::string(20 - digits.size(), '0') + digits + ".json";
}

struct Store {
  MemoryFiles files;
  FileCheckpoints checkpoints{files, kFolder};
  std::string warning;

  Result<std::optional<Checkpoint>> Load() {
    warning.clear();
    return checkpoints.Load(&warning);
  }
  Epoch LoadedEpoch() {
    const auto loaded = Load();
    EXPECT_TRUE(loaded.ok()) << loaded.status().ToString();
    return loaded.ok() && loaded->has_value() ? (*loaded)->epoch : -1;
  }
  void PutAll(Epoch last) {
    for (Epoch epoch = 1; epoch <= last; ++epoch) ASSERT_TRUE(checkpoints.Put(Make(epoch)).ok());
  }
};

TEST(FileCheckpoints, NoneAtFirst) {
  Store store;
  EXPECT_FALSE(store.Load()->has_value());
  EXPECT_EQ(store.warning, "");
}

TEST(FileCheckpoints, TheNewestComesBackAfterAPowerCut) {
  Store store;
  store.PutAll(5);
  EXPECT_EQ(store.files.List(kFolder)->size(), kCheckpointsKept);
  store.files.PowerCut();
  const auto loaded = store.Load();
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ((*loaded)->epoch, 5);
  EXPECT_EQ((*loaded)->body, Make(5).body);
}

TEST(FileCheckpoints, AnyDamagedByteIsNoticed) {
  const std::string good = CheckpointBytes(Make(3));
  ASSERT_TRUE(ReadCheckpointBytes(good).ok());
  for (size_t at = 0; at < good.size(); ++at) {
    for (const int flip : {1, 0x20, 0x80}) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ flip);
      const auto read = ReadCheckpointBytes(bad);
      // Its own words are in the header's format: a changed number there is "newer", also refused.
      EXPECT_FALSE(read.ok()) << "byte " << at << " ^ " << flip;
    }
  }
  for (size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(ReadCheckpointBytes(good.substr(0, size)).ok());
  EXPECT_FALSE(ReadCheckpointBytes(good + "x").ok());
}

TEST(FileCheckpoints, ADamagedNewestFallsBackWithAWarning) {
  Store store;
  store.PutAll(3);
  std::string bytes = *store.files.Read(Path(3));
  bytes[bytes.size() / 2] ^= 1;
  ASSERT_TRUE(store.files.Put(Path(3), bytes).ok());
  EXPECT_EQ(store.LoadedEpoch(), 2);
  EXPECT_NE(store.warning.find("QN-3402"), std::string::npos);
  EXPECT_NE(store.warning.find("step 2, the one before, was used instead"), std::string::npos)
      << store.warning;
  EXPECT_NE(store.warning.find(Path(3) + ": its checksum is wrong"), std::string::npos) << store.warning;
  // The damaged one is kept as evidence, and its epoch can be written again.
  EXPECT_EQ(*store.files.Read(Path(3) + ".damaged"), bytes);
  EXPECT_TRUE(store.checkpoints.Put(Make(3)).ok());
  EXPECT_EQ(store.LoadedEpoch(), 3);
  EXPECT_EQ(store.warning, "");
}

TEST(FileCheckpoints, AllDamagedIsRefused) {
  Store store;
  store.PutAll(2);
  ASSERT_TRUE(store.files.Put(Path(1), "").ok());
  ASSERT_TRUE(store.files.Put(Path(2), "{}").ok());
  const auto loaded = store.Load();
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.status().code(), "QN-3401");
  EXPECT_NE(loaded.status().ToString().find(Path(1) + ": it is empty"), std::string::npos);
  EXPECT_FALSE(store.Load().ok()) << "and again";
}

TEST(FileCheckpoints, OnlySetAsideOnesAreNotNothing) {
  Store store;
  ASSERT_TRUE(store.files.MakeFolder(kFolder).ok());
  ASSERT_TRUE(store.files.Put(Path(4) + ".damaged", "x").ok());
  EXPECT_EQ(store.Load().status().code(), "QN-3401");
}

TEST(FileCheckpoints, AFileOfAnotherStepIsDamaged) {
  Store store;
  store.PutAll(1);
  ASSERT_TRUE(store.files.Put(Path(2), *store.files.Read(Path(1))).ok());
  EXPECT_EQ(store.LoadedEpoch(), 1);
  EXPECT_NE(store.warning.find("it is of another step"), std::string::npos);
}

TEST(FileCheckpoints, ANewerFormatIsNotGuessedAt) {
  Store store;
  store.PutAll(1);
  std::string newer = CheckpointBytes(Make(2));
  newer.replace(newer.find(":1"), 2, ":2");
  ASSERT_TRUE(store.files.Put(Path(2), newer).ok());
  const auto loaded = store.Load();
  EXPECT_EQ(loaded.status().code(), "QN-3404");
  EXPECT_NE(loaded.status().text().find("newer Qanat"), std::string::npos);
}

TEST(FileCheckpoints, ASecondRunIsRefused) {
  Store store;
  store.PutAll(5);
  for (const Epoch epoch : {5, 4, 1}) {
    const Status refused = store.checkpoints.Put(Make(epoch));
    EXPECT_EQ(refused.kind(), Kind::kConflict) << epoch;
    EXPECT_EQ(refused.code(), "QN-3403");
    EXPECT_NE(refused.ToString().find("has step 5 already"), std::string::npos) << refused.ToString();
  }
  EXPECT_EQ(store.LoadedEpoch(), 5);
}

TEST(FileCheckpoints, UnknownIsReadBack) {
  Store store;
  int puts = 0;
  store.files.SetFault([&](std::string_view deed, const std::string&, bool after) {
    if (deed != "put_if_absent" || !after) return Ok();
    ++puts;
    return Status(Kind::kUnknown, "QN-3104", "lost answer");
  });
  EXPECT_TRUE(store.checkpoints.Put(Make(1)).ok()) << "it happened";
  EXPECT_EQ(puts, 1);
  store.files.PowerCut();
  store.files.SetFault(nullptr);
  EXPECT_EQ(store.LoadedEpoch(), 1);
}

TEST(FileCheckpoints, UnknownAndNotThereIsPutAgain) {
  Store store;
  int puts = 0;
  store.files.SetFault([&](std::string_view deed, const std::string&, bool after) {
    if (deed != "put_if_absent" || after) return Ok();
    return ++puts == 1 ? Status(Kind::kUnknown, "QN-3104", "lost request") : Ok();
  });
  EXPECT_TRUE(store.checkpoints.Put(Make(1)).ok());
  EXPECT_EQ(puts, 2);
  store.files.SetFault([&](std::string_view deed, const std::string&, bool after) {
    return deed == "put_if_absent" && !after ? Status(Kind::kUnknown, "QN-3104", "gone") : Ok();
  });
  EXPECT_EQ(store.checkpoints.Put(Make(2)).kind(), Kind::kUnknown) << "not for ever";
}

TEST(FileCheckpoints, HalfWrittenFilesAreSwept) {
  Store store;
  store.PutAll(1);
  const std::string half = std::string(kFolder) + "/" + std::string(kTempPrefix) + "1";
  ASSERT_TRUE(store.files.Put(half, "{").ok());
  EXPECT_EQ(store.LoadedEpoch(), 1);
  EXPECT_FALSE(store.files.Stat(half).ok());
}

TEST(FileCheckpoints, WhatIsLoadedIsDurable) {
  // The process died between the name and the sync of its folder: visible, but not yet safe.
  Store store;
  ASSERT_TRUE(store.files.MakeFolder(kFolder).ok());
  store.files.WriteUnsynced(Path(1), CheckpointBytes(Make(1)));
  EXPECT_EQ(store.LoadedEpoch(), 1);
  store.files.PowerCut();
  EXPECT_EQ(store.LoadedEpoch(), 1);
}

}  // namespace
}  // namespace qn
