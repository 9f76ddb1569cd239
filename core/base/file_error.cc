// One text for each thing that a file system says, whoever wrote the file.
#include "base/file_error.h"

#include <cerrno>
#include <cstring>

namespace qn {

Status FileError(int error, std::string_view deed, const std::string& path, bool visible) {
  const std::string did = std::string(deed) + " '" + path + "'";
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return Status(Kind::kNotFound, "QN-3105", "There is no '" + path + "'.")
          .With("We wanted to " + did + ".");
    case ENOSPC:
    case EDQUOT:
      return Status(Kind::kRetryable, "QN-3101", "The disk is full.")
          .With("We could not " + did + "; nothing half-written is visible.")
          .With("Make room on that disk, or let the pipeline use another one.");
    case EACCES:
    case EPERM:
    case EROFS:
      return Failed("QN-3102", "No permission to " + did + ".")
          .With(std::string("The system says: ") + std::strerror(error) + ".")
          .With("Give the user that runs this pipeline the right to do it, or choose another folder.");
    case EEXIST:
      return Status(Kind::kConflict, "QN-3106", "'" + path + "' is there already.");
    case EMFILE:
    case ENFILE:
    case EAGAIN:
    case EBUSY:
      return Status(Kind::kRetryable, "QN-3103", "Could not " + did + " now: " + std::strerror(error) + ".");
    case EIO:
      return Status(visible ? Kind::kUnknown : Kind::kFailed, "QN-3104", "The disk failed to " + did + ".")
          .With(visible ? "Whether it happened is unknown; it is read back before anything else is done."
                        : "It did not happen.")
          .With("Look at the system's log (dmesg) for errors of this disk.");
    default:
      return Status(visible ? Kind::kUnknown : Kind::kFailed, "QN-3103",
                    "Could not " + did + ": " + std::strerror(error) + ".");
  }
}

}  // namespace qn
