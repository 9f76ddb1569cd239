// Columns being filled, over duckdb_vector.
#include "duck/vector.h"

#include "base/check.h"
#include "duck/api.h"
#include "duck/types.h"

namespace qn::duck {
namespace {

// A MAP's child vector is a list's: STRUCT(key, value). Kept per map type by the column that owns it.
Type EntriesOf(const Type& map) {
  Type entries = Type::Of(TypeId::kStruct);
  entries.children = map.children;
  return entries;
}

}  // namespace

ColumnOut::ColumnOut(const Api& api, const Type& type, void* vector)
    : api_(&api), type_(&type), vector_(vector) {
  data_ = api.vector_get_data(vector);
  switch (type.id) {
    case TypeId::kStruct:
      for (size_t i = 0; i < type.children.size(); ++i) {
        children_.emplace_back(api, type.children[i].type, api.struct_vector_get_child(vector, i));
      }
      break;
    case TypeId::kList:
      children_.emplace_back(api, type.children[0].type, api.list_vector_get_child(vector));
      break;
    case TypeId::kMap:
      entries_ = std::make_shared<Type>(EntriesOf(type));
      children_.emplace_back(api, *entries_, api.list_vector_get_child(vector));
      break;
    case TypeId::kArray:
      children_.emplace_back(api, type.children[0].type, api.array_vector_get_child(vector));
      break;
    default:
      break;
  }
  child_capacity_ = kChunkRows;
}

void ColumnOut::SetNull(size_t row) {
  if (validity_ == nullptr) {
    api_->vector_ensure_validity_writable(vector_);
    validity_ = api_->vector_get_validity(vector_);
  }
  validity_[row / 64] &= ~(uint64_t{1} << (row % 64));
  if (type_->id == TypeId::kStruct) {
    for (ColumnOut& child : children_) child.SetNull(row);
  }
}

void ColumnOut::SetValid(size_t row) {
  if (validity_ == nullptr) validity_ = api_->vector_get_validity(vector_);
  if (validity_ != nullptr) validity_[row / 64] |= uint64_t{1} << (row % 64);
}

void ColumnOut::Refresh() {
  data_ = api_->vector_get_data(vector_);
  validity_ = api_->vector_get_validity(vector_);  // nullptr while there are no NULLs
  if (type_->id == TypeId::kStruct || type_->id == TypeId::kArray) {
    for (ColumnOut& child : children_) child.Refresh();
  }
}

void ColumnOut::ReserveChild(size_t rows) {
  if (rows <= child_capacity_) return;
  size_t capacity = child_capacity_;
  while (capacity < rows) capacity *= 2;
  QN_CHECK(api_->list_vector_reserve(vector_, capacity) == 0);
  child_capacity_ = capacity;
  children_[0].Refresh();
}

void ColumnOut::SetChildSize(size_t rows) { QN_CHECK(api_->list_vector_set_size(vector_, rows) == 0); }

OwnChunk::OwnChunk(const Api& api, const std::vector<Type>& types) : api_(api), types_(types) {
  std::vector<LogicalType> owned;
  std::vector<Handle> handles;
  owned.reserve(types_.size());
  for (const Type& type : types_) {
    owned.push_back(ToDuck(api, type));
    handles.push_back(owned.back().get());
  }
  chunk_ = api.create_data_chunk(handles.data(), handles.size());
  QN_CHECK(chunk_ != nullptr);
}

OwnChunk::~OwnChunk() { api_.destroy_data_chunk(&chunk_); }

void OwnChunk::Reset(ChunkOut& out) {
  api_.data_chunk_reset(chunk_);
  out.columns.clear();
  for (size_t i = 0; i < types_.size(); ++i) {
    out.columns.emplace_back(api_, types_[i], api_.data_chunk_get_vector(chunk_, i));
  }
}

ColumnIn ReadColumn(const Api& api, const Type& type, void* vector) {
  ColumnIn column{api.vector_get_data(vector), api.vector_get_validity(vector), {}};
  switch (type.id) {
    case TypeId::kStruct:
      for (size_t i = 0; i < type.children.size(); ++i) {
        column.children.push_back(
            ReadColumn(api, type.children[i].type, api.struct_vector_get_child(vector, i)));
      }
      break;
    case TypeId::kMap:
      column.children.push_back(ReadColumn(api, EntriesOf(type), api.list_vector_get_child(vector)));
      break;
    case TypeId::kList:
      column.children.push_back(ReadColumn(api, type.children[0].type, api.list_vector_get_child(vector)));
      break;
    case TypeId::kArray:
      column.children.push_back(ReadColumn(api, type.children[0].type, api.array_vector_get_child(vector)));
      break;
    default:
      break;
  }
  return column;
}

}  // namespace qn::duck
