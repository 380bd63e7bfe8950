#include "delta/parquet_footer.h"

#include <algorithm>
#include <cstring>

#include "delta/thrift.h"

namespace pinflow::delta {
namespace {

using Kind = ThriftReader::Kind;

constexpr int kMaxSchemaDepth = 64;

struct SchemaElement {
  ParquetNode node;
  int64_t children = 0;
};

Unit read_unit(ThriftReader& in) {
  Unit unit = Unit::none;
  in.each_field([&](int16_t id, Kind kind) {
    if (id == 1) unit = Unit::millis;
    if (id == 2) unit = Unit::micros;
    if (id == 3) unit = Unit::nanos;
    in.skip(kind);
  });
  return unit;
}

// The union LogicalType: the id of its one field says which.
void read_logical(ThriftReader& in, ParquetNode& node) {
  in.each_field([&](int16_t which, Kind kind) {
    if (kind != Kind::structure) return in.skip(kind);
    switch (which) {
      case 1: node.logical = Logical::string; break;
      case 2: node.logical = Logical::map; break;
      case 3: node.logical = Logical::list; break;
      case 4: node.logical = Logical::enumeration; break;
      case 5: node.logical = Logical::decimal; break;
      case 6: node.logical = Logical::date; break;
      case 7: node.logical = Logical::time; break;
      case 8: node.logical = Logical::timestamp; break;
      case 10: node.logical = Logical::integer; break;
      case 12: node.logical = Logical::json; break;
      case 13: node.logical = Logical::bson; break;
      case 14: node.logical = Logical::uuid; break;
      default: node.logical = Logical::other; break;
    }
    in.each_field([&](int16_t id, Kind inner) {
      if (which == 5 && id == 1 && inner == Kind::i32) node.scale = static_cast<int>(in.integer());
      else if (which == 5 && id == 2 && inner == Kind::i32) node.precision = static_cast<int>(in.integer());
      else if ((which == 7 || which == 8) && id == 1) node.adjusted_to_utc = ThriftReader::boolean(inner);
      else if ((which == 7 || which == 8) && id == 2 && inner == Kind::structure) node.unit = read_unit(in);
      else if (which == 10 && id == 2) node.is_signed = ThriftReader::boolean(inner);
      else if (which == 10 && id == 1 && inner == Kind::byte) node.bits = in.small();
      else in.skip(inner);
    });
  });
}

// The older ConvertedType, where the file has no LogicalType.
void apply_converted(int64_t converted, ParquetNode& node) {
  const auto integer = [&](int bits, bool is_signed) {
    node.logical = Logical::integer;
    node.bits = bits;
    node.is_signed = is_signed;
  };
  switch (converted) {
    case 0: node.logical = Logical::string; break;
    case 1:
    case 2: node.logical = Logical::map; break;
    case 3: node.logical = Logical::list; break;
    case 4: node.logical = Logical::enumeration; break;
    case 5: node.logical = Logical::decimal; break;
    case 6: node.logical = Logical::date; break;
    case 7:
    case 8: node.logical = Logical::time; break;
    case 9:
    case 10:
      node.logical = Logical::timestamp;
      node.unit = converted == 9 ? Unit::millis : Unit::micros;
      break;
    case 11: integer(8, false); break;
    case 12: integer(16, false); break;
    case 13: integer(32, false); break;
    case 14: integer(64, false); break;
    case 15: integer(8, true); break;
    case 16: integer(16, true); break;
    case 17: integer(32, true); break;
    case 18: integer(64, true); break;
    case 19: node.logical = Logical::json; break;
    case 20: node.logical = Logical::bson; break;
    default: node.logical = Logical::other; break;
  }
}

SchemaElement read_element(ThriftReader& in) {
  SchemaElement element;
  std::optional<int64_t> converted;
  in.each_field([&](int16_t id, Kind kind) {
    if (id == 1 && kind == Kind::i32) element.node.physical = static_cast<Physical>(in.integer());
    else if (id == 3 && kind == Kind::i32) element.node.repeated = in.integer() == 2;
    else if (id == 4 && kind == Kind::binary) element.node.name = in.text();
    else if (id == 5 && kind == Kind::i32) element.children = in.integer();
    else if (id == 6 && kind == Kind::i32) converted = in.integer();
    else if (id == 7 && kind == Kind::i32) element.node.scale = static_cast<int>(in.integer());
    else if (id == 8 && kind == Kind::i32) element.node.precision = static_cast<int>(in.integer());
    else if (id == 10 && kind == Kind::structure) read_logical(in, element.node);
    else in.skip(kind);
  });
  if (converted && element.node.logical == Logical::none) apply_converted(*converted, element.node);
  return element;
}

// The schema is a flat list, a node before its children. False where the list does not make a tree.
bool build(std::vector<SchemaElement>& elements, size_t& next, int depth, ParquetNode& node) {
  if (next >= elements.size() || depth > kMaxSchemaDepth) return false;
  SchemaElement& element = elements[next++];
  node = std::move(element.node);
  if (element.children < 0 || element.children > static_cast<int64_t>(elements.size())) return false;
  if (element.children > 0) node.physical = Physical::group;
  node.children.resize(static_cast<size_t>(element.children));
  return std::ranges::all_of(node.children,
                             [&](ParquetNode& child) { return build(elements, next, depth + 1, child); });
}

struct ChunkStats {
  std::vector<std::string> path;
  int64_t values = 0;
  std::optional<int64_t> null_count;
  std::optional<std::string> minimum;
  std::optional<std::string> maximum;
};

void read_statistics(ThriftReader& in, ChunkStats& chunk) {
  in.each_field([&](int16_t id, Kind kind) {
    // Fields 1 and 2 are the old max and min, whose order of bytes is not certain: passed over.
    if (id == 3 && kind == Kind::i64) chunk.null_count = in.integer();
    else if (id == 5 && kind == Kind::binary) chunk.maximum = std::string(in.text());
    else if (id == 6 && kind == Kind::binary) chunk.minimum = std::string(in.text());
    else in.skip(kind);
  });
}

ChunkStats read_chunk(ThriftReader& in) {
  ChunkStats chunk;
  in.each_field([&](int16_t id, Kind kind) {
    if (id != 3 || kind != Kind::structure) return in.skip(kind);
    in.each_field([&](int16_t inner, Kind inner_kind) {
      if (inner == 3 && inner_kind == Kind::list) {
        in.each_item([&](Kind item) {
          if (item == Kind::binary) chunk.path.emplace_back(in.text());
          else in.skip(item, true);
        });
      } else if (inner == 5 && inner_kind == Kind::i64) chunk.values = in.integer();
      else if (inner == 12 && inner_kind == Kind::structure) read_statistics(in, chunk);
      else in.skip(inner_kind);
    });
  });
  return chunk;
}

void merge(LeafStats& leaf, ChunkStats chunk) {
  const bool only_nulls = chunk.null_count && *chunk.null_count == chunk.values;
  if (!chunk.null_count) leaf.null_count.reset();
  else if (leaf.null_count) *leaf.null_count += *chunk.null_count;
  if (only_nulls) return;
  const auto keep = [](std::optional<std::vector<std::string>>& all, std::optional<std::string>& one) {
    if (!one) all.reset();
    else if (all) all->push_back(std::move(*one));
  };
  keep(leaf.minimums, chunk.minimum);
  keep(leaf.maximums, chunk.maximum);
}

void read_row_group(ThriftReader& in, std::vector<LeafStats>& leaves, bool first) {
  in.each_field([&](int16_t id, Kind kind) {
    if (id != 1 || kind != Kind::list) return in.skip(kind);
    size_t place = 0;
    in.each_item([&](Kind item) {
      if (item != Kind::structure) return in.skip(item, true);
      ChunkStats chunk = read_chunk(in);
      if (first) leaves.push_back({chunk.path, 0, std::vector<std::string>(), std::vector<std::string>()});
      if (place < leaves.size()) merge(leaves[place], std::move(chunk));
      ++place;
    });
  });
}

}  // namespace

Result<size_t> footer_length(std::string_view tail) {
  if (tail.size() < kParquetTail) return corrupt("shorter than a Parquet file can be");
  tail = tail.substr(tail.size() - kParquetTail);
  if (!tail.ends_with("PAR1")) return corrupt("no Parquet file: it does not end in PAR1");
  uint32_t length = 0;
  std::memcpy(&length, tail.data(), sizeof length);  // little endian, as every machine we run on
  return length;
}

Result<ParquetFooter> parse_footer(std::string_view metadata) {
  ThriftReader in(metadata);
  ParquetFooter footer;
  std::vector<SchemaElement> elements;
  bool first = true;
  in.each_field([&](int16_t id, Kind kind) {
    if (id == 2 && kind == Kind::list) {
      in.each_item([&](Kind item) {
        if (item == Kind::structure) elements.push_back(read_element(in));
        else in.skip(item, true);
      });
    } else if (id == 3 && kind == Kind::i64) {
      footer.rows = in.integer();
    } else if (id == 4 && kind == Kind::list) {
      in.each_item([&](Kind item) {
        if (item != Kind::structure) return in.skip(item, true);
        read_row_group(in, footer.leaves, first);
        first = false;
      });
    } else {
      in.skip(kind);
    }
  });
  size_t next = 0;
  if (!in.ok() || !build(elements, next, 0, footer.schema)) return corrupt("the Parquet footer cannot be read");
  return footer;
}

}  // namespace pinflow::delta
