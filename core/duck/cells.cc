// One cell at a time: results read this way are small.
#include "duck/cells.h"

#include "duck/vector.h"

namespace qn::duck {
namespace {

class CellReader {
 public:
  explicit CellReader(const Api& api) : api_(api) {}

  Json Read(Handle vector, const Type& type, size_t row) const {
    const uint64_t* validity = api_.vector_get_validity(vector);
    if (validity != nullptr && ((validity[row / 64] >> (row % 64)) & 1) == 0) return {};
    switch (type.id) {
      case TypeId::kStruct:
        return ReadStruct(vector, type, row);
      case TypeId::kList:
        return ReadList(vector, type, row);
      case TypeId::kMap:
        return ReadMap(vector, type, row);
      default:
        return ReadScalar(api_.vector_get_data(vector), type.id, row);
    }
  }

 private:
  template <typename T>
  static T At(const void* data, size_t row) {
    return static_cast<const T*>(data)[row];
  }

  static Json ReadScalar(const void* data, TypeId id, size_t row) {
    switch (id) {
      case TypeId::kBoolean:
        return At<uint8_t>(data, row) != 0;
      case TypeId::kTinyInt:
        return int64_t{At<int8_t>(data, row)};
      case TypeId::kSmallInt:
        return int64_t{At<int16_t>(data, row)};
      case TypeId::kInteger:
        return int64_t{At<int32_t>(data, row)};
      case TypeId::kBigInt:
        return At<int64_t>(data, row);
      case TypeId::kUTinyInt:
        return int64_t{At<uint8_t>(data, row)};
      case TypeId::kUSmallInt:
        return int64_t{At<uint16_t>(data, row)};
      case TypeId::kUInteger:
        return int64_t{At<uint32_t>(data, row)};
      case TypeId::kUBigInt:
        return At<uint64_t>(data, row);
      case TypeId::kFloat:
        return double{At<float>(data, row)};
      case TypeId::kDouble:
        return At<double>(data, row);
      case TypeId::kHugeInt:
        return static_cast<int64_t>(At<HugeInt>(data, row).lower);  // sums of small numbers
      case TypeId::kVarchar:
      case TypeId::kJson:
      case TypeId::kBlob:
        return static_cast<const String*>(data)[row].view();
      default:
        return {};
    }
  }

  Json ReadStruct(Handle vector, const Type& type, size_t row) const {
    Json::Object members;
    for (size_t i = 0; i < type.children.size(); ++i) {
      members.emplace_back(type.children[i].name,
                           Read(api_.struct_vector_get_child(vector, i), type.children[i].type, row));
    }
    return members;
  }

  Json ReadList(Handle vector, const Type& type, size_t row) const {
    const ListEntry entry = At<ListEntry>(api_.vector_get_data(vector), row);
    const Handle child = api_.list_vector_get_child(vector);
    Json::Array items;
    for (uint64_t i = 0; i < entry.length; ++i)
      items.push_back(Read(child, type.children[0].type, entry.offset + i));
    return items;
  }

  Json ReadMap(Handle vector, const Type& type, size_t row) const {
    const ListEntry entry = At<ListEntry>(api_.vector_get_data(vector), row);
    const Handle entries = api_.list_vector_get_child(vector);
    const Handle keys = api_.struct_vector_get_child(entries, 0);
    const Handle values = api_.struct_vector_get_child(entries, 1);
    Json::Object members;
    for (uint64_t i = 0; i < entry.length; ++i) {
      members.emplace_back(Read(keys, type.children[0].type, entry.offset + i).Str(),
                           Read(values, type.children[1].type, entry.offset + i));
    }
    return members;
  }

  const Api& api_;
};

}  // namespace

void AppendCells(const Api& api, Handle chunk, const std::vector<Type>& types,
                 std::vector<std::vector<Json>>& rows) {
  const CellReader reader(api);
  const uint64_t size = api.data_chunk_get_size(chunk);
  for (uint64_t row = 0; row < size; ++row) {
    std::vector<Json> cells;
    cells.reserve(types.size());
    for (uint64_t column = 0; column < types.size(); ++column) {
      cells.push_back(reader.Read(api.data_chunk_get_vector(chunk, column), types[column], row));
    }
    rows.push_back(std::move(cells));
  }
}

}  // namespace qn::duck
