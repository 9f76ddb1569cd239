// Texts for people; see docs/guide/order-and-watermark.md for the rules behind them.
#include "connectors/files/problems.h"

namespace qn::files {
namespace {

std::string ReadSoFar(const Mark& read) {
  return "read from it before: " + Grouped(read.line - 1) + " lines, " + Grouped(read.offset) + " bytes";
}

std::string Quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

Status Archive(std::string code, std::string text, uint64_t at, uint64_t size, const Mark& read) {
  return Status(Kind::kInvalid, std::move(code), std::move(text))
      .With("at byte " + Grouped(at) + " of " + Grouped(size) + " stored bytes; " + ReadSoFar(read))
      .With("Nothing of this step was stored.");
}

}  // namespace

std::string Grouped(uint64_t number) {
  std::string digits = std::to_string(number);
  for (size_t at = digits.size(); at > 3;) digits.insert(at -= 3, 1, ',');
  return digits;
}

Status CannotList(const std::string& glob, const Status& why) {
  Status status(why.kind(), "QN-2101", "The files of " + Quoted(glob) + " cannot be listed.");
  status.With(why.code() + "  " + why.text());
  for (const std::string& line : why.lines()) status.With(line);
  return status.With("Nothing of this step was stored. Check the path and its permissions.");
}

Status CannotRead(const std::string& path, const Status& why) {
  Status status(why.kind(), "QN-2102", "File " + Quoted(path) + " cannot be read.");
  status.With(why.code() + "  " + why.text());
  for (const std::string& line : why.lines()) status.With(line);
  return status.With("Nothing of this step was stored. Make the file readable, or move it out of the glob.");
}

Status Shrank(const std::string& path, uint64_t read, uint64_t size) {
  return Status(Kind::kInvalid, "QN-2103", "File " + Quoted(path) + " became shorter after it was read.")
      .With("read before: " + Grouped(read) + " bytes; it has now: " + Grouped(size))
      .With("We do not guess what is new in it. Nothing of this step was stored.")
      .With("Put the old content back, or give the new content a new name.");
}

Status Replaced(const std::string& path, uint64_t read) {
  return Status(Kind::kInvalid, "QN-2103",
                "File " + Quoted(path) + " was replaced or overwritten after it was read.")
      .With("the first " + Grouped(read) + " bytes, read before, are no longer the same")
      .With("We do not guess what is new in it. Nothing of this step was stored.")
      .With("Put the old content back, or give the new content a new name.");
}

Status DamagedArchive(const std::string& path, Codec codec, uint64_t at, uint64_t size, const Mark& read,
                      const std::string& why) {
  const std::string name(NameOf(codec));
  if (why.find("too much memory") != std::string::npos) {
    return Archive("QN-2106", "Archive " + Quoted(path) + " needs a zstd window of more than 128 MiB.", at,
                   size, read)
        .With("Compress it again without --ultra or --long above 27.");
  }
  return Archive("QN-2104", "Archive " + Quoted(path) + " is damaged (" + name + ": " + why + ").", at, size,
                 read)
      .With("Check it with `" + name + " -t`. Repair it, or move it out of the glob.");
}

Status TruncatedArchive(const std::string& path, Codec codec, uint64_t size, const Mark& read) {
  return Archive("QN-2105", "Archive " + Quoted(path) + " is cut off (" + std::string(NameOf(codec)) + ").",
                 size, size, read)
      .With("If it is still being written, wait for it, or run with --continuous, which waits.");
}

Status TornRecord(const std::string& path, const Mark& read) {
  return Status(Kind::kInvalid, "QN-2107",
                "File " + Quoted(path) + " went on in the middle of its last record.")
      .With("line " + Grouped(read.line - 1) +
            " had no line end when a run ended, so it was taken as whole; now "
            "bytes other than a line end follow it at byte " +
            Grouped(read.offset))
      .With(
          "Nothing of this step was stored. Run with --continuous while a file is being written: then only "
          "lines with an end are taken. To read it all again: --full-refresh.");
}

Status IncompleteParquet(const std::string& path, uint64_t size) {
  return Status(Kind::kInvalid, "QN-2108", "File " + Quoted(path) + " is not a whole Parquet file.")
      .With("its " + Grouped(size) + " bytes do not begin and end with PAR1 (or PARE, encrypted)")
      .With(
          "Nothing of this step was stored. Wait until it is written, best under another name and renamed "
          "then, "
          "or move it out of the glob.");
}

Status VanishedFile(const std::string& path, const Mark& read) {
  return Status(Kind::kNotFound, "QN-2109",
                "File " + Quoted(path) + " vanished before it was read to its end.")
      .With(ReadSoFar(read))
      .With("Nothing of this step was stored. Put it back, or accept the loss with --full-refresh.");
}

Status OtherPosition(std::string_view what, const std::string& before, const std::string& now) {
  return Status(Kind::kInvalid, "QN-2110", "The " + std::string(what) + " of this file source was changed.")
      .With("read so far with: " + before)
      .With("now: " + now)
      .With("What was read and what is new cannot be told apart any more. Nothing was read.")
      .With("Change it back, give the source a new name, or begin anew with --full-refresh.");
}

Status UnreadablePosition(std::string_view why) {
  return Status(Kind::kInvalid, "QN-2111",
                "The saved position of a file source cannot be read: " + std::string(why) + ".")
      .With("It was written by another version of Qanat, or it is damaged. Nothing was read.")
      .With("Use the version that wrote it, or begin anew with --full-refresh.");
}

std::string VanishedWarning(const std::string& path) {
  return "QN-2120  File " + Quoted(path) + " vanished before it was begun; it is skipped.";
}

std::string ForgottenMarkWarning(const std::string& path) {
  return "QN-2121  File " + Quoted(path) +
         " was modified after it had been read whole, and how far it was read is "
         "remembered of the " +
         Grouped(kMarksMax) + " newest files only. If lines were added to it, they are not read.";
}

std::string ChangedParquetWarning(const std::string& path) {
  return "QN-2123  File " + Quoted(path) + " was modified after it had been read. It is not read again.";
}

std::string NothingFoundWarning(const std::string& glob) {
  return "QN-2122  No file matches " + Quoted(glob) + ".";
}

}  // namespace qn::files
