// Checks come before the first byte is used: a file that is not what it was is never read on.
#include "connectors/files/part.h"

#include <algorithm>
#include <utility>

#include "base/crc32c.h"
#include "base/fail_point.h"
#include "connectors/files/problems.h"
#include "connectors/files/unpacker.h"

namespace qn::files {
namespace {

Status CheckSame(const Part& part, ReadableFile& file, uint64_t size) {
  if (!part.is_begun) return Ok();
  if (size < part.begin.stored) return Shrank(part.path, part.begin.stored, size);
  Result<uint32_t> print = PrintOf(file, part.begin.stored);
  if (!print.ok()) return CannotRead(part.path, print.status());
  return *print == part.begin.print ? Ok() : Replaced(part.path, part.begin.stored);
}

Result<Codec> FindCodec(const Part& part, ReadableFile& file) {
  char head[kMagicBytes];
  Result<size_t> got = file.ReadAt(0, head, sizeof(head));
  if (!got.ok()) return CannotRead(part.path, got.status());
  return CodecOf(part.path, {head, *got});
}

// The last record was taken without a line end: one must follow now, and is passed over.
Status PassLineEnd(Part& part, ReadableFile& file) {
  char next[2];
  Result<size_t> got = file.ReadAt(part.begin.stored, next, sizeof(next));
  if (!got.ok()) return CannotRead(part.path, got.status());
  const std::optional<LineEnd> line_end = LineEndAt({next, *got});
  if (!line_end.has_value()) return TornRecord(part.path, part.begin);
  part.offset += line_end->size;
  part.awaits_line_end = !line_end->is_whole;
  return Ok();
}

Status Examine(const ReadContext& context, Part& part, ReadableFile& file) {
  Result<uint64_t> size = file.Size();
  if (!size.ok()) return CannotRead(part.path, size.status());
  QN_TRY(CheckSame(part, file, *size));
  QN_GET(part.codec, FindCodec(part, file));
  part.size = *size;
  part.offset = part.begin.offset;
  if (part.codec == Codec::kPlain) {
    if (part.begin.unterminated) QN_TRY(PassLineEnd(part, file));
    part.end = part.size - part.offset <= part.bytes_max ? part.size : part.offset + part.bytes_max;
  } else if (part.unpacker == nullptr) {
    part.unpacker = std::make_shared<Unpacker>(context, part.path, part.codec, part.begin);
  }
  part.is_open = true;
  return Ok();
}

}  // namespace

Result<uint32_t> PrintOf(ReadableFile& file, uint64_t stored) {
  char bytes[kPrintBytes];
  const auto size = static_cast<size_t>(std::min<uint64_t>(stored, kPrintBytes));
  uint32_t crc = 0;
  for (const uint64_t at : {uint64_t{0}, stored - size}) {
    QN_GET(const size_t got, file.ReadAt(at, bytes, size));
    crc = Crc32c({bytes, got}, crc);
  }
  return crc;
}

Result<std::shared_ptr<ReadableFile>> OpenPart(const ReadContext& context, Part& part) {
  const std::lock_guard lock(part.mutex);
  if (part.is_vanished) return std::shared_ptr<ReadableFile>();
  Result<std::unique_ptr<ReadableFile>> opened = context.files.Open(part.path);
  if (!opened.ok()) {
    if (opened.status().kind() != Kind::kNotFound) return CannotRead(part.path, opened.status());
    if (part.is_begun || part.is_open) return VanishedFile(part.path, part.begin);
    part.is_vanished = true;
    return std::shared_ptr<ReadableFile>();
  }
  std::shared_ptr<ReadableFile> file = std::move(*opened);
  if (!part.is_open) {
    QN_TRY(Examine(context, part, *file));
    return file;
  }
  Result<uint64_t> size = file->Size();
  if (!size.ok()) return CannotRead(part.path, size.status());
  if (*size < part.size) return Shrank(part.path, part.size, *size);
  return file;
}

Result<bool> IsFinal(const ReadContext& context, Part& part, ReadableFile& file) {
  const std::lock_guard lock(part.mutex);
  if (!part.is_final.has_value()) {
    Result<uint64_t> size = file.Size();
    if (!size.ok()) return CannotRead(part.path, size.status());
    part.is_final = !context.is_continuous && *size == part.size;
  }
  return *part.is_final;
}

Status ReadWhole(const Part& part, ReadableFile& file, uint64_t offset, char* out, size_t size) {
  QN_FAIL("files.read");
  size_t done = 0;
  while (done < size) {
    Result<size_t> got = file.ReadAt(offset + done, out + done, size - done);
    if (!got.ok()) return CannotRead(part.path, got.status());
    if (*got == 0) return Shrank(part.path, part.size, offset + done);
    done += *got;
  }
  return Ok();
}

}  // namespace qn::files
