// How messages are described, for the .cc files of this room only. One description both reads and writes:
//
//   template <class F> void fields(F& f, HeartbeatRequest& m) {
//     f(m.group_id, m.generation_id, m.member_id);
//     f.since(3, m.group_instance_id);             // from version 3 on
//     f.tagged(0, m.extra);                        // last in a struct, in the order of the tags
//   }
//   template struct Codec<HeartbeatRequest>;
//
// The type of a field chooses its form on the wire: integers, bool, Uuid, std::string, Bytes, std::vector, structs with
// a `fields` of their own; std::optional makes a string, a byte array or an array nullable.
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kafka/codec/message.h"
#include "kafka/codec/wire.h"

namespace pinflow::kafka {

template <class Self>
class Fields {
 public:
  Fields(int16_t version, bool flexible) : version_(version), flexible_(flexible) {}

  int16_t version() const { return version_; }

  template <class... T>
  void operator()(T&... field) {
    (self().one(field), ...);
  }
  template <class... T>
  void since(int16_t first, T&... field) {
    if (version_ >= first) (*this)(field...);
  }
  template <class... T>
  void between(int16_t first, int16_t last, T&... field) {
    if (version_ >= first && version_ <= last) (*this)(field...);
  }

 protected:
  Self& self() { return static_cast<Self&>(*this); }

  int16_t version_;
  bool flexible_;
};

class FieldReader : public Fields<FieldReader> {
 public:
  FieldReader(std::string_view bytes, int16_t version, bool flexible) : Fields(version, flexible), in_(bytes) {}

  Reader& in() { return in_; }

  template <std::integral T>
  void one(T& value) {
    if constexpr (std::same_as<T, bool>) value = in_.boolean();
    else value = in_.integer<T>();
  }
  void one(Uuid& value) { value = in_.uuid(); }
  void one(std::string& value) { value = present(in_.string(flexible_)); }
  void one(Bytes& value) { value.data = present(in_.bytes(flexible_)); }
  void one(std::optional<std::string>& value) {
    value.reset();
    if (const auto text = in_.string(flexible_)) value.emplace(*text);
  }
  void one(std::optional<Bytes>& value) {
    value.reset();
    if (const auto bytes = in_.bytes(flexible_)) value.emplace(Bytes{std::string(*bytes)});
  }
  template <class T>
  void one(std::vector<T>& list) {
    const int32_t count = in_.array(flexible_);
    if (count < 0) return in_.fail("a list that must be there is null");
    elements(list, count);
  }
  template <class T>
  void one(std::optional<std::vector<T>>& list) {
    list.reset();
    const int32_t count = in_.array(flexible_);
    if (count >= 0) elements(list.emplace(), count);
  }
  template <class T>
  requires std::is_class_v<T>
  void one(T& structure) {
    auto outer = std::exchange(tags_, std::nullopt);
    fields(*this, structure);
    if (flexible_ && !tags_) read_tags();
    tags_ = std::move(outer);
  }

  template <class T>
  void tagged(uint32_t tag, T& field, const T& /*absent*/ = T{}) {
    if (!flexible_) return;
    if (!tags_) read_tags();
    for (const auto& [number, bytes] : *tags_) {
      if (number == tag) inside(bytes, field);
    }
  }
  template <class T>
  void tagged(uint32_t tag, std::optional<T>& field) {
    if (!flexible_) return;
    if (!tags_) read_tags();
    for (const auto& [number, bytes] : *tags_) {
      if (number == tag) inside(bytes, field.emplace());
    }
  }

 private:
  template <class T>
  void elements(std::vector<T>& list, int32_t count) {
    list.clear();
    for (int32_t i = 0; i < count && in_.ok(); ++i) one(list.emplace_back());
  }
  template <class T>
  void inside(std::string_view bytes, T& field) {
    FieldReader nested(bytes, version_, flexible_);
    nested.one(field);
    if (!nested.in_.ok()) in_.fail(nested.in_.fault());
  }
  std::string present(std::optional<std::string_view> text) {
    if (!text) {
      in_.fail("a string or byte array that must be there is null");
      return {};
    }
    return std::string(*text);
  }
  void read_tags();

  Reader in_;
  std::optional<std::vector<std::pair<uint32_t, std::string_view>>> tags_;  // of the struct being read, once read
};

// Takes fields by non-const reference only because one description serves both: it never changes them.
class FieldWriter : public Fields<FieldWriter> {
 public:
  FieldWriter(std::string& to, int16_t version, bool flexible) : Fields(version, flexible), out_(to) {}

  template <std::integral T>
  void one(T& value) {
    if constexpr (std::same_as<T, bool>) out_.boolean(value);
    else out_.integer(value);
  }
  void one(Uuid& value) { out_.uuid(value); }
  void one(std::string& value) { out_.string(value, flexible_); }
  void one(Bytes& value) { out_.bytes(value.data, flexible_); }
  void one(std::optional<std::string>& value) { out_.string(value, flexible_); }
  void one(std::optional<Bytes>& value) {
    out_.bytes(value ? std::optional<std::string_view>(value->data) : std::nullopt, flexible_);
  }
  template <class T>
  void one(std::vector<T>& list) {
    out_.array(static_cast<int32_t>(list.size()), flexible_);
    for (T& element : list) one(element);
  }
  template <class T>
  void one(std::optional<std::vector<T>>& list) {
    if (list) one(*list);
    else out_.array(-1, flexible_);
  }
  template <class T>
  requires std::is_class_v<T>
  void one(T& structure) {
    auto outer = std::exchange(tags_, {});
    fields(*this, structure);
    if (flexible_) write_tags();
    tags_ = std::move(outer);
  }

  template <class T>
  void tagged(uint32_t tag, T& field, const T& absent = T{}) {
    if (flexible_ && field != absent) add_tag(tag, field);
  }
  template <class T>
  void tagged(uint32_t tag, std::optional<T>& field) {
    if (flexible_ && field) add_tag(tag, *field);
  }

 private:
  template <class T>
  void add_tag(uint32_t tag, T& field) {
    FieldWriter nested(tags_.emplace_back(tag, std::string()).second, version_, flexible_);
    nested.one(field);
  }
  void write_tags();

  Writer out_;
  std::vector<std::pair<uint32_t, std::string>> tags_;  // of the struct being written
};

Error bad_message(Api api, int16_t version, const char* fault);

template <class M>
Result<M> Codec<M>::read(std::string_view body, int16_t version) {
  FieldReader reader(body, version, is_flexible(M::api, version));
  M message;
  reader.one(message);
  if (!reader.in().ok()) return std::unexpected(bad_message(M::api, version, reader.in().fault()));
  return message;
}

template <class M>
void Codec<M>::write(const M& message, int16_t version, std::string& to) {
  FieldWriter(to, version, is_flexible(M::api, version)).one(const_cast<M&>(message));
}

}  // namespace pinflow::kafka
