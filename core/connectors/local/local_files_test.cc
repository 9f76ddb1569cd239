// What only the real disk has: errors of the system, fail points, patterns, locks.
#include "connectors/local/local_files.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <thread>

#include "base/fail_point.h"
#include "base/test_folder.h"
#include "connectors/local/glob.h"
#include "connectors/local/lock.h"

namespace qn {
namespace {

class LocalTest : public ::testing::Test {
 protected:
  void SetUp() override { root_ = MakeTestFolder("local"); }
  void TearDown() override {
    ASSERT_TRUE(ArmFailPoints("").ok());
    std::filesystem::remove_all(root_);
  }
  std::string P(const std::string& rest) { return root_ + "/" + rest; }
  void Touch(const std::string& rest) {
    ASSERT_TRUE(files_.MakeFolder(P(rest).substr(0, P(rest).rfind('/'))).ok());
    ASSERT_TRUE(files_.Put(P(rest), "x").ok());
  }
  // Paths below the root that match.
  std::vector<std::string> Glob(const std::string& pattern) {
    const auto found = files_.Glob(P(pattern));
    EXPECT_TRUE(found.ok()) << found.status().ToString();
    std::vector<std::string> paths;
    for (const FileInfo& info : *found) paths.push_back(info.path.substr(root_.size() + 1));
    return paths;
  }
  std::string root_;
  LocalFiles files_;
};

using Paths = std::vector<std::string>;

TEST_F(LocalTest, AFailureBeforeTheLinkLeavesNothing) {
  for (const char* point : {"files.put.before_write=error", "files.put.before_link=error"}) {
    ASSERT_TRUE(ArmFailPoints(point).ok());
    EXPECT_FALSE(files_.PutIfAbsent(P("a"), "x").ok());
    EXPECT_TRUE(files_.List(root_)->empty()) << point;
  }
}

TEST_F(LocalTest, AnUnknownAfterTheLinkLeavesAllOfIt) {
  ASSERT_TRUE(ArmFailPoints("files.put.after_link=unknown").ok());
  EXPECT_EQ(files_.PutIfAbsent(P("a"), "whole").kind(), Kind::kUnknown);
  EXPECT_EQ(*files_.Read(P("a")), "whole");
  EXPECT_EQ(files_.List(root_)->size(), 1u);
}

TEST_F(LocalTest, AFailedReplacementLeavesTheOldOne) {
  ASSERT_TRUE(files_.Put(P("a"), "old").ok());
  ASSERT_TRUE(ArmFailPoints("files.replace.before_rename=error").ok());
  EXPECT_FALSE(files_.Put(P("a"), "new").ok());
  EXPECT_EQ(*files_.Read(P("a")), "old");
  EXPECT_EQ(files_.List(root_)->size(), 1u);
}

TEST_F(LocalTest, AKilledPutLeavesOnlyWhatIsKnownAsHalfWritten) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    static_cast<void>(ArmFailPoints("files.put.before_link=kill").ok());
    static_cast<void>(LocalFiles().PutIfAbsent(root_ + "/a", "x").ok());
    ::_exit(0);
  }
  int how = 0;
  ::waitpid(child, &how, 0);
  EXPECT_TRUE(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
  const auto left = files_.List(root_);
  ASSERT_EQ(left->size(), 1u);
  EXPECT_TRUE(left->front().path.substr(root_.size() + 1).starts_with(kTempPrefix));
  EXPECT_TRUE(Glob("*").empty()) << "no pattern takes it for data";
  EXPECT_TRUE(files_.PutIfAbsent(P("a"), "x").ok());
}

TEST_F(LocalTest, AFullDiskIsToldAsSuch) {
  // A limit on the size of files stands in for the disk: the same path through write(2), another errno.
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1000, 1000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const Status status = LocalFiles().PutIfAbsent(root_ + "/a", std::string(5000, 'x'));
    ::_exit(status.kind() == Kind::kFailed && status.code() == "QN-3103" ? 0 : 1);
  }
  int how = 0;
  ::waitpid(child, &how, 0);
  EXPECT_TRUE(WIFEXITED(how) && WEXITSTATUS(how) == 0);
  EXPECT_TRUE(files_.List(root_)->empty()) << "half of it was left";
}

TEST_F(LocalTest, AFileInTheWayIsNoFolder) {
  Touch("a");
  EXPECT_EQ(files_.MakeFolder(P("a")).kind(), Kind::kNotFound);
  EXPECT_FALSE(files_.MakeFolder(P("a/b")).ok());
  EXPECT_FALSE(files_.Open(root_).ok()) << "a folder is no file";
  EXPECT_FALSE(files_.Read(root_).ok());
}

TEST_F(LocalTest, OneOfManyWritersWins) {
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> winners{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        if (files_.PutIfAbsent(P("n" + std::to_string(round)), std::string(1000, static_cast<char>('a' + i)))
                .ok()) {
          ++winners;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(winners, 1);
  }
  EXPECT_EQ(files_.List(root_)->size(), 20u);
}

TEST_F(LocalTest, PatternsFindRegularFilesOnly) {
  for (const char* name :
       {"a.json", "b.json", "b.csv", ".hidden.json", "d/c.json", "d/e/f.json", "d/e/g.gz", "x[1].json"}) {
    Touch(name);
  }
  std::filesystem::create_directories(P("folder.json"));
  std::filesystem::create_symlink(P("a.json"), P("link.json"));
  std::filesystem::create_symlink(P("gone"), P("dangling.json"));
  std::filesystem::create_directory_symlink(root_, P("d/loop"));
  EXPECT_EQ(Glob("*.json"), (Paths{"a.json", "b.json", "link.json", "x[1].json"}));
  EXPECT_EQ(Glob("?.{json,csv}"), (Paths{"a.json", "b.csv", "b.json"}));
  EXPECT_EQ(Glob("[!a].json"), Paths{"b.json"});
  EXPECT_EQ(Glob("x\\[1\\].json"), Paths{"x[1].json"});
  EXPECT_EQ(Glob(".*.json"), Paths{".hidden.json"});
  EXPECT_EQ(Glob("a.json"), Paths{"a.json"});
  EXPECT_EQ(Glob("nope.json"), Paths{});
  EXPECT_EQ(Glob("nope/*.json"), Paths{});
  EXPECT_EQ(Glob("a.json/*"), Paths{});
  EXPECT_EQ(Glob("*/*.json"), Paths{"d/c.json"});
  EXPECT_EQ(Glob("**/*.json"),
            (Paths{"a.json", "b.json", "d/c.json", "d/e/f.json", "link.json", "x[1].json"}));
  EXPECT_EQ(Glob("d/**"), (Paths{"d/c.json", "d/e/f.json", "d/e/g.gz"}));
  EXPECT_EQ(Glob("**/e/**/f*"), Paths{"d/e/f.json"});
  EXPECT_EQ(Glob("//d//c.json"), Paths{"d/c.json"}) << "doubled slashes are one";
}

TEST(Pattern, BracesExpandFromLeftToRight) {
  EXPECT_EQ(*ExpandBraces("x{a,b{c,d}}y"), (Paths{"xay", "xbcy", "xbdy"}));
  EXPECT_EQ(*ExpandBraces("{a,}b"), (Paths{"ab", "b"}));
  EXPECT_EQ(*ExpandBraces("{a}{b"), Paths{"{a}{b"});
  EXPECT_EQ(*ExpandBraces("\\{a,b\\}"), Paths{"\\{a,b\\}"});
  EXPECT_EQ(*ExpandBraces(""), Paths{""});
  std::string many;
  for (int i = 0; i < 11; ++i) many += "{0,1}";
  EXPECT_EQ(ExpandBraces(many).status().code(), "QN-3107");
}

TEST(Pattern, SegmentsMatch) {
  EXPECT_TRUE(MatchSegment("*a*b*c", "xxaxxbxxc"));
  EXPECT_FALSE(MatchSegment("*a*b*c", "xxaxxbxx"));
  EXPECT_TRUE(MatchSegment("[a-c]]", "b]"));
  EXPECT_TRUE(MatchSegment("[]]", "]"));
  EXPECT_TRUE(MatchSegment("[a-]", "-"));
  EXPECT_TRUE(MatchSegment("[", "["));
  EXPECT_TRUE(MatchSegment("\\*", "*"));
  EXPECT_FALSE(MatchSegment("\\*", "x"));
  EXPECT_TRUE(MatchSegment("*", ""));
  EXPECT_FALSE(MatchSegment("?", ""));
  EXPECT_FALSE(MatchSegment("*", ".x"));
  // A hostile pattern does not take exponential time.
  std::string stars;
  for (int i = 0; i < 200; ++i) stars += "*a";
  EXPECT_FALSE(MatchSegment(stars + "b", std::string(20'000, 'a')));
}

class FixedClock final : public Clock {
 public:
  int64_t WallMs() const override { return 1'700'000'000'000; }
  int64_t MonotonicNs() const override { return 0; }
};

TEST_F(LocalTest, TheLockIsForOne) {
  const FixedClock clock;
  auto first = StorageLock::Take(P("_qanat"), clock);
  ASSERT_TRUE(first.ok()) << first.status().ToString();
  const auto second = StorageLock::Take(P("_qanat"), clock);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.status().code(), "QN-3201");
  EXPECT_EQ(second.status().kind(), Kind::kConflict);
  const std::string text = second.status().ToString();
  EXPECT_NE(text.find("process " + std::to_string(::getpid())), std::string::npos) << text;
  EXPECT_NE(text.find("running since 2023-11-14 22:13:20 UTC"), std::string::npos) << text;
  EXPECT_NE(text.find(P("_qanat/lock")), std::string::npos) << text;
  first = Result<std::unique_ptr<StorageLock>>(nullptr);
  EXPECT_TRUE(StorageLock::Take(P("_qanat"), clock).ok());
}

TEST_F(LocalTest, ADeadProcessHoldsNoLock) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto lock = StorageLock::Take(root_, FixedClock());
    ::raise(SIGKILL);
  }
  int how = 0;
  ::waitpid(child, &how, 0);
  EXPECT_TRUE(StorageLock::Take(root_, FixedClock()).ok());
}

}  // namespace
}  // namespace qn
