#include "kafka/client/key_stores.h"

#include <openssl/pem.h>

#include "kafka/client/openssl.h"

namespace pinflow::kafka {
namespace {

struct Opened {
  PrivateKey key;
  Certificate certificate;
  Certificates others;
};

Result<Opened> open_pkcs12(std::string_view bytes, const std::string& password) {
  ERR_clear_error();
  const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
  const Pkcs12 store(d2i_PKCS12(nullptr, &at, static_cast<long>(bytes.size())));
  if (!store) return invalid("it is damaged, or no PKCS#12 file");
  EVP_PKEY* key = nullptr;
  X509* certificate = nullptr;
  STACK_OF(X509)* others = nullptr;
  const int done = PKCS12_parse(store.get(), password.c_str(), &key, &certificate, &others);
  Opened opened{PrivateKey(key), Certificate(certificate), Certificates(others)};
  if (done != 1) {
    const std::string why = openssl_error();
    if (PKCS12_mac_present(store.get()) && PKCS12_verify_mac(store.get(), password.c_str(), -1) != 1) {
      ERR_clear_error();
      return fail(Code::denied, "{}", password.empty() ? "its password is needed" : "its password is another");
    }
    return invalid("it cannot be opened: {}", why);
  }
  return opened;
}

}  // namespace

StoreKind store_kind(std::string_view bytes) {
  if (bytes.starts_with("\xfe\xed\xfe\xed") || bytes.starts_with("\xce\xce\xce\xce")) return StoreKind::jks;
  if (bytes.find("-----BEGIN ") != std::string_view::npos) return StoreKind::pem;
  return bytes.starts_with('\x30') ? StoreKind::pkcs12 : StoreKind::other;
}

Result<std::string> certificates_of_pkcs12(std::string_view bytes, const std::string& password) {
  auto opened = open_pkcs12(bytes, password);
  if (!opened) return pass(opened.error());
  const Bio out(BIO_new(BIO_s_mem()));
  if (opened->certificate) PEM_write_bio_X509(out.get(), opened->certificate.get());
  for (int i = 0; opened->others && i < sk_X509_num(opened->others.get()); ++i) {
    PEM_write_bio_X509(out.get(), sk_X509_value(opened->others.get(), i));
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  if (size <= 0) return invalid("it holds no certificate");
  return std::string(text, static_cast<size_t>(size));
}

Result<> check_pkcs12_key(std::string_view bytes, const std::string& password) {
  auto opened = open_pkcs12(bytes, password);
  if (!opened) return pass(opened.error());
  if (!opened->key || !opened->certificate) return invalid("it holds no private key with a certificate");
  return {};
}

}  // namespace pinflow::kafka
