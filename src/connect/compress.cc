#include "connect/compress.h"

#include <zlib.h>
#include <zstd.h>

#include <cstdlib>

namespace pinflow::connect {
namespace {

constexpr int kGzip = 15 + 16;  // window bits, and a gzip header

std::string gzip(int level, const std::string& bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, level, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY) != Z_OK) std::abort();  // out of memory
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int ended = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (ended != Z_STREAM_END) std::abort();  // the bound is a promise
  return out;
}

std::string zstd(int level, const std::string& bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  const size_t size =
      ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), level < 0 ? ZSTD_defaultCLevel() : level);
  if (ZSTD_isError(size)) std::abort();  // out of memory
  out.resize(size);
  return out;
}

}  // namespace

std::string compress(Compression how, int level, std::string bytes) {
  switch (how) {
    case Compression::none: return bytes;
    case Compression::gzip: return gzip(level, bytes);
    case Compression::zstd: return zstd(level, bytes);
  }
  return bytes;
}

}  // namespace pinflow::connect
