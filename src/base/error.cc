#include "base/error.h"

#include <cerrno>
#include <system_error>

namespace pinflow {

std::string_view name_of(Code code) {
  switch (code) {
    case Code::invalid: return "invalid";
    case Code::not_found: return "not found";
    case Code::already_exists: return "already exists";
    case Code::conflict: return "conflict";
    case Code::unavailable: return "unavailable";
    case Code::full: return "full";
    case Code::denied: return "denied";
    case Code::corrupt: return "corrupt";
    case Code::unsupported: return "unsupported";
    case Code::cancelled: return "cancelled";
  }
  std::abort();
}

namespace {

Code code_of(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE:
    case ENOMEM: return Code::full;
    case ENOENT: return Code::not_found;
    case EEXIST: return Code::already_exists;
    case EACCES:
    case EPERM:
    case EROFS: return Code::denied;
    case EINVAL:
    case ENOTDIR:
    case EISDIR:
    case ENAMETOOLONG: return Code::invalid;
    default: return Code::unavailable;
  }
}

}  // namespace

std::unexpected<Error> system_error(int error_number, std::string_view what) {
  return fail(code_of(error_number), "{}: {}", what, std::generic_category().message(error_number));
}

}  // namespace pinflow
