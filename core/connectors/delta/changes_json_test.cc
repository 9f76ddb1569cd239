// Which files tell what a version changed, and when nothing can tell it.
#include "connectors/delta/changes_json.h"

#include <gtest/gtest.h>

#include "contract/memory_files.h"

namespace qn::delta {
namespace {

constexpr char kFolder[] = "/t";

std::string Created(bool tells) {
  return R"j({"protocol":{"minReaderVersion":1,"minWriterVersion":2}}
{"metaData":{"id":"i","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"id\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}},{\"name\":\"p\",\"type\":\"string\",\"nullable\":true,\"metadata\":{}}]}","partitionColumns":["p"],"configuration":{)j" +
         std::string(tells ? R"("delta.enableChangeDataFeed":"true")" : "") + "},\"createdTime\":5}}\n";
}

struct Table {
  MemoryFiles files;

  explicit Table(bool tells) { Entry(0, Created(tells)); }

  void Entry(int version, const std::string& text) { files.WriteUnsynced(EntryPath(kFolder, version), text); }
  // A file on disk and the action that names it.
  std::string Action(const std::string& kind, const std::string& path, const std::string& more = "") {
    files.WriteUnsynced("/t/" + path, "rows");
    return "{\"" + kind + R"(":{"path":")" + path + R"(","size":4,"partitionValues":{"p":"x"})" +
           (kind == "remove" ? R"(,"extendedFileMetadata":true)" : "") + more + "}}\n";
  }
  Result<std::string> Ask(int64_t first = 0, int64_t last = -1) {
    return ChangesJson(files, kFolder, nullptr, first, last);
  }
  // "<version> <type> <path>" of each.
  std::vector<std::string> Changes(int64_t first = 0, int64_t last = -1) {
    const Result<std::string> text = Ask(first, last);
    EXPECT_TRUE(text.ok()) << text.status().ToString();
    std::vector<std::string> found;
    if (!text.ok()) return found;
    const Json json = *Json::Parse(*text);
    for (const Json& change : json["changes"].Items()) {
      EXPECT_EQ(change["partition"]["p"].Str(), "x");
      found.push_back(std::to_string(change["version"].Int()) + " " +
                      (change["type"].IsNull() ? "told" : change["type"].Str()) + " " + change["path"].Str());
    }
    return found;
  }
};

using Strings = std::vector<std::string>;

TEST(Changes, OfATableThatAppendsAreItsFiles) {
  Table table(false);
  table.Entry(1, table.Action("add", "a") + R"({"commitInfo":{"timestamp":77}})" + "\n");
  table.Entry(2, table.Action("add", "b"));
  table.Entry(3, table.Action("remove", "a"));
  EXPECT_EQ(table.Changes(), (Strings{"1 insert /t/a", "2 insert /t/b", "3 delete /t/a"}));
  EXPECT_EQ(table.Changes(2, 2), (Strings{"2 insert /t/b"}));
  EXPECT_EQ(table.Changes(4), Strings{}) << "the version that comes next";
  const Json json = *Json::Parse(*table.Ask(1, 1));
  EXPECT_EQ(json["version"].Int(), 1);
  EXPECT_EQ(json["schema"].Items().size(), 2u);
  EXPECT_EQ(json["changes"].Items()[0]["time_ms"].Int(), 77);
}

TEST(Changes, WhereFilesTellThemNothingElseIsRead) {
  Table table(true);
  table.Entry(1, table.Action("add", "a"));
  table.Entry(2, table.Action("remove", "a") + table.Action("add", "b") +
                     table.Action("cdc", "_change_data/c", R"(,"dataChange":false)"));
  EXPECT_EQ(table.Changes(1), (Strings{"1 insert /t/a", "2 told /t/_change_data/c"}));
}

TEST(Changes, ACompactionChangesNothing) {
  Table table(false);
  table.Entry(1, table.Action("add", "a"));
  table.Entry(2, table.Action("remove", "a", R"(,"dataChange":false)") +
                     table.Action("add", "b", R"(,"dataChange":false)"));
  EXPECT_EQ(table.Changes(), (Strings{"1 insert /t/a"}));
}

TEST(Changes, ARewriteThatTellsNothingIsRefused) {
  Table table(false);
  table.Entry(1, table.Action("add", "a"));
  table.Entry(2, table.Action("remove", "a") + table.Action("add", "b"));
  EXPECT_EQ(table.Ask().status().ToString(),
            "QN-3322  Version 2 of table '/t' does not tell which rows it changed.\n"
            "  It rewrites files, and most rows in them are as they were.\n"
            "  Let the table tell its changes from its next version on:\n"
            "    @qn.materialized_view(table_properties={\"delta.enableChangeDataFeed\": \"true\"})\n"
            "  Versions before that can be read whole, each by its number.");
  EXPECT_EQ(table.Changes(0, 1), (Strings{"1 insert /t/a"}));
  // From when on it tells them is known also where only later entries are read.
  table.Entry(3, Created(true) + table.Action("remove", "b") + table.Action("add", "c"));
  table.Entry(4, table.Action("remove", "c") + table.Action("add", "d"));
  EXPECT_EQ(table.Changes(3, 3), (Strings{"3 delete /t/b", "3 insert /t/c"}));
  EXPECT_EQ(table.Changes(4), (Strings{"4 delete /t/c", "4 insert /t/d"}));
  EXPECT_EQ(table.Ask(2).status().code(), "QN-3322");
}

TEST(Changes, WhatIsGoneIsNotLeftOut) {
  Table table(true);
  table.Entry(1, table.Action("add", "a"));
  table.Entry(2, table.Action("cdc", "_change_data/c"));
  table.Entry(3, table.Action("add", "b"));
  ASSERT_TRUE(table.files.Remove("/t/_change_data/c").ok());
  EXPECT_EQ(table.Ask().status().ToString(),
            "QN-3323  What version 2 of table '/t' changed is no longer there.\n"
            "  Its file '/t/_change_data/c' was removed, by a vacuum perhaps.\n"
            "  Read the table whole at a newer version, and its changes from the version after that on.");
  EXPECT_EQ(table.Changes(3), (Strings{"3 insert /t/b"}));
}

TEST(Changes, VersionsThatAreNotThere) {
  Table table(false);
  table.Entry(1, table.Action("add", "a"));
  EXPECT_EQ(table.Ask(3).status().ToString(),
            "QN-3318  Table '/t' has no version 2 yet.\n  Its newest version is 1; the next is 2.");
  EXPECT_EQ(table.Ask(0, 2).status().code(), "QN-3318");
  MemoryFiles nothing;
  EXPECT_EQ(ChangesJson(nothing, kFolder, nullptr, 0, -1).status().code(), "QN-3318");
}

}  // namespace
}  // namespace qn::delta
