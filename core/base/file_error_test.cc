// Kinds and words of what a file system may say.
#include "base/file_error.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace qn {
namespace {

TEST(FileError, IsRetoldInTheUsersWords) {
  const Status full = FileError(ENOSPC, "write", "/lake/x");
  EXPECT_EQ(full.code(), "QN-3101");
  EXPECT_EQ(full.kind(), Kind::kRetryable);
  EXPECT_EQ(full.ToString(),
            "QN-3101  The disk is full.\n"
            "  We could not write '/lake/x'; nothing half-written is visible.\n"
            "  Make room on that disk, or let the pipeline use another one.");
  EXPECT_EQ(FileError(EDQUOT, "write", "/x").code(), "QN-3101");
  EXPECT_EQ(FileError(EACCES, "read", "/x").code(), "QN-3102");
  EXPECT_EQ(FileError(EACCES, "read", "/x").text(), "No permission to read '/x'.");
  EXPECT_EQ(FileError(EROFS, "write", "/x").code(), "QN-3102");
  EXPECT_EQ(FileError(ENOENT, "read", "/x").kind(), Kind::kNotFound);
  EXPECT_EQ(FileError(EEXIST, "write", "/x").kind(), Kind::kConflict);
  EXPECT_EQ(FileError(EMFILE, "open", "/x").kind(), Kind::kRetryable);
  EXPECT_EQ(FileError(EIO, "sync", "/x", true).kind(), Kind::kUnknown);
  EXPECT_EQ(FileError(EIO, "read", "/x").kind(), Kind::kFailed);
  EXPECT_EQ(FileError(EINVAL, "sync", "/x", true).kind(), Kind::kUnknown);
  EXPECT_EQ(FileError(ENAMETOOLONG, "open", "/x").code(), "QN-3103");
}

}  // namespace
}  // namespace qn
