// What is on disk keeps its meaning.
#include "app/buckets.h"

#include <gtest/gtest.h>

namespace qn::app {
namespace {

TEST(Buckets, TagsAreReadBackAndOthersAreNot) {
  const Schema columns = {{"id", Type::Of(TypeId::kBigInt), true, ""},
                          {"city", Type::Of(TypeId::kVarchar), true, ""}};
  const duck::RowCodec codec({Type::Of(TypeId::kBigInt), Type::Of(TypeId::kVarchar)}, duck::Encoding::kRow);
  const Buckets rows(columns, codec, {});
  const Buckets keyed(columns, codec, {"ID"});
  const std::string tag = rows.Tag({3, 5});
  ASSERT_TRUE(rows.RegionOf(tag).has_value());
  EXPECT_EQ(rows.RegionOf(tag)->depth, 3u);
  EXPECT_EQ(rows.RegionOf(tag)->prefix, 5u);
  EXPECT_FALSE(keyed.RegionOf(tag).has_value());
  const std::string scheme = tag.substr(tag.rfind('/'));
  for (const std::string& bad :
       {std::string(), std::string("5/3"), "5" + scheme, "8/3" + scheme, "0/33" + scheme, "-1/3" + scheme,
        "5/3" + scheme + "x", "x/3" + scheme, "5/ 3" + scheme}) {
    EXPECT_FALSE(rows.RegionOf(bad).has_value()) << bad;
  }
  // On disk since it was first written: another value would lose rows.
  EXPECT_EQ(tag, "5/3/6dc05af0");
  EXPECT_EQ(rows.HashOf("a row"), 12370741254581983046u);
}

TEST(Buckets, RegionsAreRangesOfHashes) {
  EXPECT_TRUE((Region{0, 0}).Has(UINT64_MAX));
  const Region region{3, 5};
  EXPECT_TRUE(region.Has(region.first()) && region.Has(region.last()));
  EXPECT_FALSE(region.Has(region.first() - 1) || region.Has(region.last() + 1));
  EXPECT_EQ(region.Child(2, 3).prefix, 23u);
  EXPECT_TRUE(region.Meets(region.Child(2, 3)) && region.Child(2, 3).Meets(region) && region.Meets({0, 0}));
  EXPECT_FALSE(region.Meets({3, 4}) || region.Child(1, 0).Meets(region.Child(1, 1)));
}

}  // namespace
}  // namespace qn::app
