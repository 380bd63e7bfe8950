// A reader of Thrift's compact encoding (thrift-compact-protocol.md), as far as Parquet's metadata needs it. Pure.
// After a fault every call answers zero or empty; ok() tells it at the end.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pinflow::delta {

class ThriftReader {
 public:
  enum Kind {
    stop = 0,
    yes = 1,
    no = 2,
    byte = 3,
    i16 = 4,
    i32 = 5,
    i64 = 6,
    real = 7,
    binary = 8,
    list = 9,
    set = 10,
    map = 11,
    structure = 12
  };

  explicit ThriftReader(std::string_view bytes) : rest_(bytes) {}

  bool ok() const { return ok_; }

  // Calls field(id, kind) for each field of the structure that begins here; it reads the value or skips it.
  template <class F>
  void each_field(F field) {
    if (!enter()) return;
    int16_t id = 0;
    for (Kind kind = next_field(id); kind != stop; kind = next_field(id)) field(id, kind);
    --depth_;
  }

  // Calls item(kind) for each item of the list that begins here; it reads the value or skips it.
  template <class F>
  void each_item(F item) {
    if (!enter()) return;
    uint64_t count = 0;
    const Kind kind = list_header(count);
    for (uint64_t i = 0; ok_ && i < count; ++i) item(kind);
    --depth_;
  }

  int64_t integer();                                      // of i16, i32 and i64
  uint8_t small();                                        // of byte
  std::string_view text();                                // of binary
  static bool boolean(Kind kind) { return kind == yes; }  // of a field; its value is its kind
  void skip(Kind kind, bool in_list = false);

 private:
  bool enter();
  Kind next_field(int16_t& id);
  Kind list_header(uint64_t& count);
  uint64_t varint();
  uint8_t take();
  void fault();

  std::string_view rest_;
  bool ok_ = true;
  int depth_ = 0;
};

}  // namespace pinflow::delta
