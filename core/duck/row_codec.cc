// The layout is the same at every level, so each direction is one recursive pass; columns of fixed size and
// strings are handled without a call.
#include "duck/row_codec.h"

#include <cmath>
#include <limits>

#include "base/check.h"
#include "duck/api.h"

namespace qn::duck {
namespace {

constexpr size_t kSizeMax = std::numeric_limits<uint32_t>::max();

constexpr size_t BitBytes(size_t columns) { return (columns + 7) / 8; }

template <typename T>
T Load(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

template <typename T>
void Store(const T& value, char* to) {
  std::memcpy(to, &value, sizeof(T));
}

void SetBit(char* bits, size_t i) { bits[i / 8] = static_cast<char>(bits[i / 8] | (1 << (i % 8))); }
bool Bit(const char* bits, size_t i) { return (static_cast<unsigned char>(bits[i / 8]) >> (i % 8) & 1) != 0; }

// A slot's bytes. Sizes are known to the compiler, so each copy is one or two moves.
void Copy(const char* from, char* to, uint32_t size) {
  switch (size) {
    case 1:
      *to = *from;
      return;
    case 2:
      std::memcpy(to, from, 2);
      return;
    case 4:
      std::memcpy(to, from, 4);
      return;
    case 8:
      std::memcpy(to, from, 8);
      return;
    default:
      std::memcpy(to, from, 16);
  }
}

template <typename T>
T Canonical(T value) {
  if (value == T{0}) return T{0};
  return std::isnan(value) ? std::numeric_limits<T>::quiet_NaN() : value;
}

// What does not fit into `out` goes back into the smaller unit.
void Borrow(int64_t value, int64_t& smaller, int32_t& out, int64_t scale) {
  constexpr int64_t kMin = std::numeric_limits<int32_t>::min();
  constexpr int64_t kMax = std::numeric_limits<int32_t>::max();
  out = static_cast<int32_t>(value < kMin ? kMin : value > kMax ? kMax : value);
  smaller += (value - out) * scale;
}

// The same for all that are equal.
Interval Canonical(const Interval& value) {
  IntervalOrder order(value);
  Interval out{0, 0, order.micros};
  Borrow(order.months, order.days, out.months, IntervalOrder::kDaysPerMonth);
  Borrow(order.days, out.micros, out.days, IntervalOrder::kMicrosPerDay);
  return out;
}

uint32_t FixedSize(const Type& type) {
  switch (type.id) {
    case TypeId::kBoolean:
    case TypeId::kTinyInt:
    case TypeId::kUTinyInt:
      return 1;
    case TypeId::kSmallInt:
    case TypeId::kUSmallInt:
      return 2;
    case TypeId::kInteger:
    case TypeId::kUInteger:
    case TypeId::kFloat:
    case TypeId::kDate:
      return 4;
    case TypeId::kBigInt:
    case TypeId::kUBigInt:
    case TypeId::kDouble:
    case TypeId::kTime:
    case TypeId::kTimeTz:
    case TypeId::kTimestamp:
    case TypeId::kTimestampS:
    case TypeId::kTimestampMs:
    case TypeId::kTimestampNs:
    case TypeId::kTimestampTz:
      return 8;
    case TypeId::kHugeInt:
    case TypeId::kUHugeInt:
    case TypeId::kUuid:
    case TypeId::kInterval:
      return 16;
    case TypeId::kDecimal:
      return type.width <= 4 ? 2 : type.width <= 9 ? 4 : type.width <= 18 ? 8 : 16;
    case TypeId::kEnum:
      return type.labels.size() <= 0xFF ? 1 : type.labels.size() <= 0xFFFF ? 2 : 4;
    default:
      return 0;
  }
}

// Whether it can be remembered; `bad` is then what cannot.
bool IsKnown(const Type& type, const Type** bad) {
  if (type.id == TypeId::kNull || type.id == TypeId::kOther) {
    *bad = &type;
    return false;
  }
  for (const Field& child : type.children) {
    if (!IsKnown(child.type, bad)) return false;
  }
  return true;
}

std::string NameOf(const Type& type) { return type.id == TypeId::kOther ? type.text : type.ToSql(); }

}  // namespace

Status RowCodec::Check(const Schema& columns) {
  for (const Field& column : columns) {
    const Type* bad = nullptr;
    if (IsKnown(column.type, &bad)) continue;
    Status status = Invalid("QN-1810", "Column '" + column.name + "' cannot be remembered across steps.");
    status.With("its type: " + NameOf(column.type) +
                (bad == &column.type ? "" : ", in which " + NameOf(*bad) + " is unknown to us"));
    return std::move(status).With("Cast it to a type that Qanat knows, VARCHAR for one.");
  }
  return Ok();
}

RowCodec::Part RowCodec::PartOf(const Type& type, Encoding encoding) {
  Part part;
  part.id = type.id;
  part.slot_size = FixedSize(type);
  const bool is_key = encoding == Encoding::kKey;
  if (is_key && type.id == TypeId::kFloat) part.form = Form::kFloat;
  if (is_key && type.id == TypeId::kDouble) part.form = Form::kDouble;
  if (is_key && type.id == TypeId::kInterval) part.form = Form::kInterval;
  if (type.id == TypeId::kEnum) part.limit = type.labels.size();
  if (part.slot_size != 0) return part;
  part.slot_size = sizeof(Tail);
  part.form = Form::kBytes;
  if (type.children.empty() && type.id != TypeId::kStruct) return part;
  for (const Field& child : type.children) part.children.push_back(PartOf(child.type, encoding));
  part.fixed = Place(part.children);
  if (type.id == TypeId::kStruct) part.form = Form::kStruct;
  if (type.id == TypeId::kList) part.form = Form::kList;
  if (type.id == TypeId::kArray) {
    part.form = Form::kArray;
    part.limit = type.array_size;
    part.fixed = BitBytes(part.limit) + part.limit * part.children[0].slot_size;
  }
  if (type.id == TypeId::kMap) {  // a list of STRUCT(key, value)
    Part entry = part;
    entry.form = Form::kStruct;
    entry.id = TypeId::kStruct;
    part.form = Form::kList;
    part.children.clear();
    part.children.push_back(std::move(entry));
  }
  return part;
}

size_t RowCodec::Place(std::vector<Part>& parts) {
  size_t at = BitBytes(parts.size());
  for (Part& part : parts) {
    part.slot = at;
    at += part.slot_size;
  }
  return at;
}

RowCodec::RowCodec(std::vector<Type> types, Encoding encoding) : types_(std::move(types)) {
  for (const Type& type : types_) parts_.push_back(PartOf(type, encoding));
  fixed_ = Place(parts_);
  for (size_t i = 0; i < parts_.size(); ++i) {
    if (IsTail(parts_[i].form)) tails_.push_back(i);
  }
}

// Sizes first, then bytes: a row is stored once and in one piece.
struct RowCodec::Writer {
  // Of a value that is not NULL, behind the slots.
  static size_t TailSize(const Part& part, const ColumnIn& column, size_t row) {
    if (part.form == Form::kBytes) return column.as<String>()[row].view().size();
    if (!IsTail(part.form)) return 0;
    size_t size = part.fixed;
    if (part.form == Form::kStruct) {
      for (size_t i = 0; i < part.children.size(); ++i) {
        if (!column.children[i].IsNull(row)) size += TailSize(part.children[i], column.children[i], row);
      }
      return size;
    }
    const Part& child = part.children[0];
    const auto [first, count] = Elements(part, column, row);
    if (part.form == Form::kList) size = sizeof(uint32_t) + BitBytes(count) + count * child.slot_size;
    if (!IsTail(child.form)) return size;
    for (size_t i = first; i < first + count; ++i) {
      if (!column.children[0].IsNull(i)) size += TailSize(child, column.children[0], i);
    }
    return size;
  }

  static std::pair<size_t, size_t> Elements(const Part& part, const ColumnIn& column, size_t row) {
    if (part.form == Form::kArray) return {row * part.limit, part.limit};
    const ListEntry entry = column.as<ListEntry>()[row];
    return {entry.offset, entry.length};
  }

  // The slot of a value that is not NULL, and its tail at `tail`; the end of that. Tails count from `base`.
  static char* Value(const Part& part, const ColumnIn& column, size_t row, char* slot, const char* base,
                     char* tail) {
    switch (part.form) {
      case Form::kFixed:
        Copy(static_cast<const char*>(column.data) + row * part.slot_size, slot, part.slot_size);
        return tail;
      case Form::kFloat:
        Store(Canonical(column.as<float>()[row]), slot);
        return tail;
      case Form::kDouble:
        Store(Canonical(column.as<double>()[row]), slot);
        return tail;
      case Form::kInterval:
        Store(Canonical(column.as<Interval>()[row]), slot);
        return tail;
      default:
        break;
    }
    char* end = tail;
    if (part.form == Form::kBytes) {
      const std::string_view bytes = column.as<String>()[row].view();
      if (!bytes.empty()) std::memcpy(tail, bytes.data(), bytes.size());
      end += bytes.size();
    } else {
      end = Nested(part, column, row, tail);
    }
    Store(Tail{static_cast<uint32_t>(tail - base), static_cast<uint32_t>(end - tail)}, slot);
    return end;
  }

  static char* Nested(const Part& part, const ColumnIn& column, size_t row, char* base) {
    if (part.form == Form::kStruct) {
      std::memset(base, 0, part.fixed);
      char* tail = base + part.fixed;
      for (size_t i = 0; i < part.children.size(); ++i) {
        const Part& child = part.children[i];
        if (column.children[i].IsNull(row)) {
          SetBit(base, i);
        } else {
          tail = Value(child, column.children[i], row, base + child.slot, base, tail);
        }
      }
      return tail;
    }
    const Part& child = part.children[0];
    const ColumnIn& elements = column.children[0];
    const auto [first, count] = Elements(part, column, row);
    char* bits = base;
    if (part.form == Form::kList) {
      Store(static_cast<uint32_t>(count), base);
      bits += sizeof(uint32_t);
    }
    char* slot = bits + BitBytes(count);
    char* tail = slot + count * child.slot_size;
    std::memset(bits, 0, static_cast<size_t>(tail - bits));
    for (size_t i = 0; i < count; ++i, slot += child.slot_size) {
      if (elements.IsNull(first + i)) {
        SetBit(bits, i);
      } else {
        tail = Value(child, elements, first + i, slot, base, tail);
      }
    }
    return tail;
  }
};

std::string_view RowCodec::Encode(std::span<const ColumnIn> columns, size_t row, Arena& arena,
                                  bool* has_null) const {
  if (has_null != nullptr) *has_null = false;
  if (parts_.empty()) return "";
  size_t size = fixed_;
  for (const size_t i : tails_) {
    if (!columns[i].IsNull(row)) size += Writer::TailSize(parts_[i], columns[i], row);
  }
  QN_CHECK(size <= kSizeMax);
  char* base = arena.Allocate(size);
  std::memset(base, 0, BitBytes(parts_.size()));
  char* tail = base + fixed_;
  for (size_t i = 0; i < parts_.size(); ++i) {
    const Part& part = parts_[i];
    if (columns[i].IsNull(row)) {
      SetBit(base, i);
      std::memset(base + part.slot, 0, part.slot_size);
      if (has_null != nullptr) *has_null = true;
    } else {
      tail = Writer::Value(part, columns[i], row, base + part.slot, base, tail);
    }
  }
  return {base, size};
}

std::string_view RowCodec::Cell(std::string_view bytes, size_t column) const {
  if (IsNull(bytes, column)) return {};
  const Part& part = parts_[column];
  const char* slot = bytes.data() + part.slot;
  if (!IsTail(part.form)) return {slot, part.slot_size};
  const Tail tail = Load<Tail>(slot);
  return {bytes.data() + tail.offset, tail.size};
}

std::string_view RowCodec::FromCells(std::span<const std::string_view> cells, Arena& arena) const {
  QN_CHECK(cells.size() == parts_.size());
  if (parts_.empty()) return "";
  size_t size = fixed_;
  for (const size_t i : tails_) size += cells[i].size();
  QN_CHECK(size <= kSizeMax);
  char* base = arena.Allocate(size);
  std::memset(base, 0, fixed_);
  char* tail = base + fixed_;
  for (size_t i = 0; i < parts_.size(); ++i) {
    const Part& part = parts_[i];
    if (cells[i].data() == nullptr) {
      SetBit(base, i);
    } else if (!IsTail(part.form)) {
      QN_CHECK(cells[i].size() == part.slot_size);
      Copy(cells[i].data(), base + part.slot, part.slot_size);
    } else {
      Store(Tail{static_cast<uint32_t>(tail - base), static_cast<uint32_t>(cells[i].size())},
            base + part.slot);
      if (!cells[i].empty()) std::memcpy(tail, cells[i].data(), cells[i].size());
      tail += cells[i].size();
    }
  }
  return {base, size};
}

struct RowCodec::Reader {
  // DuckDB expects that what is in a NULL is NULL too.
  static void SetNull(const Part& part, ColumnOut& out, size_t at) {
    out.SetNull(at);
    if (part.form == Form::kList) out.data<ListEntry>()[at] = {0, 0};
    if (part.form == Form::kStruct) {
      for (size_t i = 0; i < part.children.size(); ++i) SetNull(part.children[i], out.children()[i], at);
    }
    if (part.form == Form::kArray) {
      for (size_t i = 0; i < part.limit; ++i) {
        SetNull(part.children[0], out.children()[0], at * part.limit + i);
      }
    }
  }

  static void Value(const Part& part, const char* slot, const char* base, ColumnOut& out, size_t at) {
    if (!IsTail(part.form)) {
      return Copy(slot, out.data<char>() + at * part.slot_size, part.slot_size);
    }
    const Tail tail = Load<Tail>(slot);
    if (part.form == Form::kBytes) return out.SetString(at, base + tail.offset, tail.size);
    Nested(part, base + tail.offset, out, at);
  }

  static void Nested(const Part& part, const char* base, ColumnOut& out, size_t at) {
    if (part.form == Form::kStruct) {
      for (size_t i = 0; i < part.children.size(); ++i) {
        const Part& child = part.children[i];
        if (Bit(base, i)) {
          SetNull(child, out.children()[i], at);
        } else {
          Value(child, base + child.slot, base, out.children()[i], at);
        }
      }
      return;
    }
    if (part.form == Form::kArray) {
      return Elements(part.children[0], base, base, part.limit, out.children()[0], at * part.limit);
    }
    const size_t count = Load<uint32_t>(base);
    const size_t first = TheApi().list_vector_get_size(out.vector());
    out.ReserveChild(first + count);
    out.SetChildSize(first + count);
    out.data<ListEntry>()[at] = {first, count};
    Elements(part.children[0], base + sizeof(uint32_t), base, count, out.children()[0], first);
  }

  static void Elements(const Part& child, const char* bits, const char* base, size_t count, ColumnOut& out,
                       size_t first) {
    const char* slot = bits + BitBytes(count);
    for (size_t i = 0; i < count; ++i, slot += child.slot_size) {
      if (Bit(bits, i)) {
        SetNull(child, out, first + i);
      } else {
        Value(child, slot, base, out, first + i);
      }
    }
  }
};

void RowCodec::Decode(std::string_view bytes, size_t column, ColumnOut& out, size_t at) const {
  const Part& part = parts_[column];
  if (bytes.data() == nullptr || IsNull(bytes, column)) {
    Reader::SetNull(part, out, at);
  } else {
    Reader::Value(part, bytes.data() + part.slot, bytes.data(), out, at);
  }
}

// Exact: every byte has its place, so a row that passes is one that Encode could have written.
struct RowCodec::Prover {
  std::string_view all;  // a row, or a nested value
  size_t tail;           // where the next tail must begin

  bool Slot(const Part& part, bool is_null, size_t at) {
    const std::string_view slot = all.substr(at, part.slot_size);
    if (is_null) return slot.find_first_not_of('\0') == std::string_view::npos;
    if (part.id == TypeId::kBoolean) return static_cast<unsigned char>(slot[0]) <= 1;
    if (part.id == TypeId::kEnum) {
      uint32_t label = 0;
      std::memcpy(&label, slot.data(), part.slot_size);
      return label < part.limit;
    }
    if (!IsTail(part.form)) return true;
    const Tail value = Load<Tail>(slot.data());
    if (value.offset != tail || value.size > all.size() - tail) return false;
    tail += value.size;
    const std::string_view bytes = all.substr(value.offset, value.size);
    if (part.form != Form::kBytes) return Nested(part, bytes);
    return part.id != TypeId::kBit || (bytes.size() >= 2 && static_cast<unsigned char>(bytes[0]) < 8);
  }

  static bool PaddingIsClear(std::string_view bits, size_t columns) {
    return columns % 8 == 0 || static_cast<unsigned char>(bits.back()) >> (columns % 8) == 0;
  }

  static bool Row(const std::vector<Part>& parts, size_t fixed, std::string_view bytes) {
    if (bytes.size() < fixed) return false;
    if (!PaddingIsClear(bytes.substr(0, BitBytes(parts.size())), parts.size())) return false;
    Prover prover{bytes, fixed};
    for (size_t i = 0; i < parts.size(); ++i) {
      if (!prover.Slot(parts[i], Bit(bytes.data(), i), parts[i].slot)) return false;
    }
    return prover.tail == bytes.size();
  }

  static bool Nested(const Part& part, std::string_view bytes) {
    if (part.form == Form::kStruct) return Row(part.children, part.fixed, bytes);
    const Part& child = part.children[0];
    size_t bits = 0;
    size_t count = part.limit;
    if (part.form == Form::kList) {
      bits = sizeof(uint32_t);
      if (bytes.size() < bits) return false;
      count = Load<uint32_t>(bytes.data());
    }
    size_t slot = bits + BitBytes(count);
    const size_t fixed = slot + count * child.slot_size;
    if (bytes.size() < fixed || !PaddingIsClear(bytes.substr(bits, BitBytes(count)), count)) return false;
    Prover prover{bytes, fixed};
    for (size_t i = 0; i < count; ++i, slot += child.slot_size) {
      const bool is_null = Bit(bytes.data() + bits, i);
      if (is_null && part.id == TypeId::kMap) return false;
      if (!prover.Slot(child, is_null, slot)) return false;
    }
    return prover.tail == bytes.size();
  }
};

bool RowCodec::IsSound(std::string_view bytes) const { return Prover::Row(parts_, fixed_, bytes); }

}  // namespace qn::duck
