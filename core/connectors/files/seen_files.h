// Which files were read and how far: exact, by path, and small when written down. 100,000 finished files with
// numbered names take some kilobytes. Forgets no name, also of files that vanished: a folder that is not
// mounted for a while must not be read twice.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "data/json.h"

namespace qn::files {

// How far a file was read; never inside a record.
struct Mark {
  uint64_t offset = 0;        // in the unpacked bytes
  uint64_t line = 1;          // of the next record
  uint64_t stored = 0;        // bytes of the file as stored behind it; the offset itself for plain files
  uint32_t print = 0;         // of the stored bytes before it, see PrintOf
  bool unterminated = false;  // the last record had no line end: it was the end of the file then

  bool operator==(const Mark&) const = default;
};

struct SeenFile {
  std::string path;
  Mark mark;
  bool has_mark = true;      // false: read whole, and not remembered how far that was
  bool is_finished = false;  // nothing of it was left when it was looked at last
  uint64_t size = 0;         // as stored, when it was looked at last
  int64_t modified_ns = 0;

  bool operator==(const SeenFile&) const = default;
};

// Of how many finished files, the ones modified last, the mark is written down: those can grow across a
// restart. Of older ones only the name is.
inline constexpr size_t kMarksMax = 4096;
inline constexpr size_t kLeafFiles = 1024;  // names that are written down together

class SeenFiles {
 public:
  SeenFiles() = default;

  const SeenFile* Find(std::string_view path) const;
  void Put(SeenFile file);
  size_t size() const { return size_; }

  // Costs what changed since the last call; a JSON array of strings.
  Json Save() const;
  static Result<SeenFiles> Load(const Json& saved);

 private:
  struct Leaf {
    std::vector<SeenFile> files;  // sorted by path, not empty
    mutable std::string saved;    // empty when it must be made anew
  };

  size_t LeafOf(std::string_view path) const;
  void InsertInto(size_t leaf, SeenFile file);
  void Watch(const SeenFile& file);

  std::vector<Leaf> leaves_;                          // sorted
  std::set<std::pair<int64_t, std::string>> marked_;  // finished files whose mark is written down
  size_t size_ = 0;
};

}  // namespace qn::files
