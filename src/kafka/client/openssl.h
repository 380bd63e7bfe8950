// OpenSSL's objects with owners, and its errors as text; for the .cc files of this room only.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>

namespace pinflow::kafka {

template <auto destroy>
struct OpensslDelete {
  template <class T>
  void operator()(T* one) const {
    destroy(one);
  }
};
using Bio = std::unique_ptr<BIO, OpensslDelete<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, OpensslDelete<X509_free>>;
using PrivateKey = std::unique_ptr<EVP_PKEY, OpensslDelete<EVP_PKEY_free>>;
using Pkcs12 = std::unique_ptr<PKCS12, OpensslDelete<PKCS12_free>>;

struct CertificatesDelete {
  void operator()(STACK_OF(X509) * all) const { sk_X509_pop_free(all, X509_free); }
};
using Certificates = std::unique_ptr<STACK_OF(X509), CertificatesDelete>;

inline Bio memory_bio(std::string_view bytes) {
  return Bio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

// Of the first error of this thread's queue, which is emptied: "certificate verify failed".
inline std::string openssl_error() {
  const unsigned long first = ERR_get_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(first);
  return reason ? reason : "error";
}

}  // namespace pinflow::kafka
