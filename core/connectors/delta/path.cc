// Delta asks for RFC 2396; encoding more than needed is always read back right, less is not.
#include "connectors/delta/path.h"

#include <cctype>

namespace qn::delta {
namespace {

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string DecodePercent(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && HexValue(text[i + 1]) >= 0 && HexValue(text[i + 2]) >= 0) {
      out += static_cast<char>(HexValue(text[i + 1]) * 16 + HexValue(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

bool LeavesFolder(std::string_view path) {
  size_t start = 0;
  while (start <= path.size()) {
    const size_t slash = std::min(path.find('/', start), path.size());
    if (path.substr(start, slash - start) == "..") return true;
    start = slash + 1;
  }
  return false;
}

// Length of "scheme" in "scheme:…", 0 when there is none.
size_t SchemeLength(std::string_view path) {
  if (path.empty() || std::isalpha(static_cast<unsigned char>(path[0])) == 0) return 0;
  for (size_t i = 1; i < path.size(); ++i) {
    const auto c = static_cast<unsigned char>(path[i]);
    if (c == ':') return i;
    if (std::isalnum(c) == 0 && c != '+' && c != '-' && c != '.') return 0;
  }
  return 0;
}

}  // namespace

std::string EncodePath(std::string_view relative) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : relative) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte < 0x80 && std::isalnum(byte) != 0) ||
                       std::string_view("-_.~/=").find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

Result<std::string> DecodePath(std::string_view path) {
  const size_t scheme = SchemeLength(path);
  if (scheme > 0 && path.substr(0, scheme) != "file") {
    return Failed("QN-3307", "The table has a file in another store: '" + std::string(path) + "'.")
        .With("This Qanat reads Delta tables whose files lie in the table's own folder or on local disks.");
  }
  if (scheme > 0) {
    path.remove_prefix(5);
    if (path.starts_with("///")) path.remove_prefix(2);
  }
  std::string decoded = DecodePercent(path);
  if (decoded.empty() || decoded.find('\0') != std::string::npos || LeavesFolder(decoded)) {
    return Failed("QN-3307", "The table names a file outside its folder: '" + std::string(path) + "'.")
        .With("Such a path is refused, because it could name any file of this machine.");
  }
  return decoded;
}

std::string FullPath(const std::string& folder, const std::string& decoded) {
  return decoded.starts_with('/') ? decoded : folder + "/" + decoded;
}

}  // namespace qn::delta
