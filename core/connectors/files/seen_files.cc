// A sorted list cut into leaves; each leaf is packed once and again only when it changes.
#include "connectors/files/seen_files.h"

#include <algorithm>
#include <iterator>

#include "base/check.h"
#include "connectors/files/problems.h"
#include "connectors/files/seen_files_codec.h"

namespace qn::files {
namespace {

bool Before(const SeenFile& file, std::string_view path) { return file.path < path; }

}  // namespace

size_t SeenFiles::LeafOf(std::string_view path) const {
  const auto after =
      std::upper_bound(leaves_.begin(), leaves_.end(), path,
                       [](std::string_view p, const Leaf& leaf) { return p < leaf.files[0].path; });
  return after == leaves_.begin() ? 0 : static_cast<size_t>(after - leaves_.begin()) - 1;
}

const SeenFile* SeenFiles::Find(std::string_view path) const {
  if (leaves_.empty()) return nullptr;
  const std::vector<SeenFile>& files = leaves_[LeafOf(path)].files;
  const auto found = std::lower_bound(files.begin(), files.end(), path, Before);
  return found == files.end() || found->path != path ? nullptr : &*found;
}

void SeenFiles::Put(SeenFile file) {
  if (leaves_.empty()) {
    ++size_;
    Watch(file);
    leaves_.emplace_back().files.push_back(std::move(file));
    return;
  }
  const size_t at = LeafOf(file.path);
  Leaf& leaf = leaves_[at];
  const auto found =
      std::lower_bound(leaf.files.begin(), leaf.files.end(), std::string_view(file.path), Before);
  if (found == leaf.files.end() || found->path != file.path) {
    ++size_;
    InsertInto(at, file);
  } else {
    if (*found == file) return;
    marked_.erase({found->modified_ns, found->path});
    *found = file;
    leaf.saved.clear();
  }
  Watch(file);
}

void SeenFiles::InsertInto(size_t at, SeenFile file) {
  if (leaves_[at].files.size() >= kLeafFiles) {
    if (at + 1 == leaves_.size() && leaves_[at].files.back().path < file.path) {
      // Names mostly come in order: the full leaf stays as it is.
      leaves_.emplace_back().files.push_back(std::move(file));
      return;
    }
    std::vector<SeenFile>& lower = leaves_[at].files;
    const auto middle = lower.begin() + kLeafFiles / 2;
    Leaf upper;
    upper.files.assign(std::make_move_iterator(middle), std::make_move_iterator(lower.end()));
    lower.erase(middle, lower.end());
    leaves_[at].saved.clear();
    const bool goes_up = upper.files.front().path < file.path;
    leaves_.insert(leaves_.begin() + static_cast<std::ptrdiff_t>(at) + 1, std::move(upper));
    if (goes_up) ++at;
  }
  Leaf& leaf = leaves_[at];
  const auto place =
      std::lower_bound(leaf.files.begin(), leaf.files.end(), std::string_view(file.path), Before);
  leaf.files.insert(place, std::move(file));
  leaf.saved.clear();
}

void SeenFiles::Watch(const SeenFile& file) {
  if (!file.is_finished || !file.has_mark) return;
  marked_.insert({file.modified_ns, file.path});
  if (marked_.size() <= kMarksMax) return;
  const std::string oldest = marked_.begin()->second;
  marked_.erase(marked_.begin());
  // Only what is written down changes: this process still knows the mark.
  if (!leaves_.empty()) leaves_[LeafOf(oldest)].saved.clear();
}

Json SeenFiles::Save() const {
  Json::Array saved;
  saved.reserve(leaves_.size());
  for (const Leaf& leaf : leaves_) {
    if (leaf.saved.empty()) {
      leaf.saved = PackFiles(leaf.files, [this](const SeenFile& file) {
        return file.has_mark && (!file.is_finished || marked_.contains({file.modified_ns, file.path}));
      });
    }
    saved.emplace_back(leaf.saved);
  }
  return Json(std::move(saved));
}

Result<SeenFiles> SeenFiles::Load(const Json& saved) {
  if (!saved.IsArray()) return UnreadablePosition("its list of files is missing");
  SeenFiles seen;
  for (const Json& text : saved.Items()) {
    std::vector<SeenFile> files;
    if (const std::string why = UnpackFiles(text.Str(), &files); !why.empty()) return UnreadablePosition(why);
    if (files.empty()) return UnreadablePosition("a part of its list of files is empty");
    const bool is_sorted =
        std::is_sorted(files.begin(), files.end(),
                       [](const SeenFile& a, const SeenFile& b) { return a.path < b.path; }) &&
        (seen.leaves_.empty() || seen.leaves_.back().files.back().path < files.front().path);
    if (!is_sorted) return UnreadablePosition("its list of files is not in order");
    Leaf leaf;
    leaf.files = std::move(files);
    seen.size_ += leaf.files.size();
    seen.leaves_.push_back(std::move(leaf));
  }
  for (const Leaf& leaf : seen.leaves_) {
    for (const SeenFile& file : leaf.files) {
      seen.Watch(file);
    }
  }
  for (size_t i = 0; i < seen.leaves_.size(); ++i) seen.leaves_[i].saved = saved.At(i).Str();
  return seen;
}

}  // namespace qn::files
