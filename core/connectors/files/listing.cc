// Spark, Hive and editors mark what is not data by a leading '_' or '.'.
#include "connectors/files/listing.h"

#include <algorithm>

#include "connectors/files/problems.h"

namespace qn::files {

HiddenNames::HiddenNames(std::string_view glob) {
  const size_t wild = glob.find_first_of("*?[{\\");
  if (wild == std::string_view::npos) {
    fixed_bytes_ = glob.size();
    return;
  }
  const size_t folder = glob.rfind('/', wild);
  fixed_bytes_ = folder == std::string_view::npos ? 0 : folder + 1;
  bool begins_name = true;
  for (const char c : glob.substr(fixed_bytes_)) {
    if (begins_name && c == '.') hides_dots_ = false;
    if (begins_name && c == '_') hides_underscores_ = false;
    begins_name =
        c == '/' || ((c == '{' || c == '[') && begins_name) || c == ',' || (c == '\\' && begins_name);
  }
}

bool HiddenNames::Hides(std::string_view path) const {
  bool begins_name = true;
  for (size_t i = fixed_bytes_; i < path.size(); ++i) {
    if (begins_name && ((path[i] == '.' && hides_dots_) || (path[i] == '_' && hides_underscores_)))
      return true;
    begins_name = path[i] == '/';
  }
  return false;
}

Result<std::vector<FileInfo>> ListFiles(Files& files, const std::string& glob, const HiddenNames& hidden) {
  Result<std::vector<FileInfo>> found = files.Glob(glob);
  if (!found.ok()) return CannotList(glob, found.status());
  std::vector<FileInfo> list = std::move(*found);
  std::erase_if(list, [&](const FileInfo& file) { return hidden.Hides(file.path); });
  const auto by_path = [](const FileInfo& a, const FileInfo& b) { return a.path < b.path; };
  if (!std::is_sorted(list.begin(), list.end(), by_path)) std::sort(list.begin(), list.end(), by_path);
  return list;
}

}  // namespace qn::files
