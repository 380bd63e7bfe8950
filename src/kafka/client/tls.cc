#include "kafka/client/tls.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstring>

#include "base/files.h"
#include "kafka/client/openssl.h"

namespace pinflow::kafka {
namespace {

std::string name_text(const X509_NAME* name) {
  const Bio out(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<size_t>(size > 0 ? size : 0)};
}

std::string time_text(const ASN1_TIME* time) {
  const Bio out(BIO_new(BIO_s_mem()));
  ASN1_TIME_print(out.get(), time);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<size_t>(size > 0 ? size : 0)};
}

// "b-1.example, 127.0.0.1": the names that the certificate is good for.
std::string alternative_names(const X509* certificate) {
  std::string out;
  auto* names = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* one = sk_GENERAL_NAME_value(names, i);
    std::string text;
    if (one->type == GEN_DNS) {
      text.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(one->d.dNSName)),
                  static_cast<size_t>(ASN1_STRING_length(one->d.dNSName)));
    } else if (one->type == GEN_IPADD && ASN1_STRING_length(one->d.iPAddress) == 4) {
      const unsigned char* ip = ASN1_STRING_get0_data(one->d.iPAddress);
      text = fmt::format("{}.{}.{}.{}", ip[0], ip[1], ip[2], ip[3]);
    }
    if (!text.empty()) out += (out.empty() ? "" : ", ") + text;
  }
  GENERAL_NAMES_free(names);
  return out.empty() ? name_text(X509_get_subject_name(certificate)) : out;
}

int give_password(char* to, int size, int, void* password) {
  const auto& text = *static_cast<const std::string*>(password);
  if (static_cast<int>(text.size()) > size) return -1;
  std::memcpy(to, text.data(), text.size());
  return static_cast<int>(text.size());
}

Result<> bad(std::string_view property) { return invalid("{}: {}", property, openssl_error()); }

Result<> trust(SSL_CTX* context, const ClientConfig& config) {
  const std::string file = config.get("ssl.ca.location"), pem = config.get("ssl.ca.pem");
  if (file.empty() && pem.empty()) {
    SSL_CTX_set_default_verify_paths(context);
    return {};
  }
  if (!file.empty() && SSL_CTX_load_verify_locations(context, file.c_str(), nullptr) != 1) {
    return invalid("ssl.ca.location: {} holds no certificate in PEM form ({})", file, openssl_error());
  }
  if (pem.empty()) return {};
  const Bio in = memory_bio(pem);
  int count = 0;
  while (const Certificate one{PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)}) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), one.get());
    ++count;
  }
  ERR_clear_error();
  if (count == 0) return invalid("ssl.ca.pem holds no certificate in PEM form");
  return {};
}

// The key's PEM text opened with its password.
Result<> use_key(SSL_CTX* context, const std::string& pem, std::string_view property, std::string password) {
  const Bio in = memory_bio(pem);
  const PrivateKey key(PEM_read_bio_PrivateKey(in.get(), nullptr, give_password, &password));
  if (!key) {
    const bool encrypted = pem.find("ENCRYPTED") != std::string::npos;
    ERR_clear_error();
    if (encrypted) {
      return fail(Code::denied, "{}: the key does not open: ssl.key.password is {}", property,
                  password.empty() ? "needed" : "another");
    }
    return invalid("{}: it holds no private key in PEM form", property);
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
    return invalid("{}: the key does not belong to the certificate ({})", property, openssl_error());
  }
  return {};
}

Result<> use_pkcs12(SSL_CTX* context, const std::string& file, const std::string& password) {
  auto bytes = read_file(file);
  if (!bytes) return pass(bytes.error(), "ssl.keystore.location");
  const auto* at = reinterpret_cast<const unsigned char*>(bytes->data());
  const Pkcs12 store(d2i_PKCS12(nullptr, &at, static_cast<long>(bytes->size())));
  EVP_PKEY* key = nullptr;
  X509* certificate = nullptr;
  STACK_OF(X509)* others = nullptr;
  if (!store || PKCS12_parse(store.get(), password.c_str(), &key, &certificate, &others) != 1) {
    return fail(Code::denied, "ssl.keystore.location: {} does not open: {}", file, openssl_error());
  }
  const PrivateKey own_key(key);
  const Certificate own(certificate);
  const Certificates chain(others);
  if (!own || !own_key) return invalid("ssl.keystore.location: {} holds no key with a certificate", file);
  if (SSL_CTX_use_cert_and_key(context, own.get(), own_key.get(), chain.get(), 1) != 1)
    return bad("ssl.keystore.location");
  return {};
}

Result<> own_certificate(SSL_CTX* context, const ClientConfig& config) {
  if (const std::string store = config.get("ssl.keystore.location"); !store.empty()) {
    return use_pkcs12(context, store, config.get("ssl.keystore.password"));
  }
  const std::string file = config.get("ssl.certificate.location"), pem = config.get("ssl.certificate.pem");
  if (file.empty() && pem.empty()) return {};
  if (!file.empty() && SSL_CTX_use_certificate_chain_file(context, file.c_str()) != 1)
    return bad("ssl.certificate.location");
  if (!pem.empty()) {
    const Bio in = memory_bio(pem);
    const Certificate own(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
    if (!own || SSL_CTX_use_certificate(context, own.get()) != 1) return bad("ssl.certificate.pem");
    while (Certificate next{PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)}) {
      SSL_CTX_add1_chain_cert(context, next.get());
    }
    ERR_clear_error();
  }
  if (const std::string key = config.get("ssl.key.pem"); !key.empty()) {
    return use_key(context, key, "ssl.key.pem", config.get("ssl.key.password"));
  }
  const std::string location = config.get("ssl.key.location");
  if (location.empty()) return invalid("a certificate is given without its key: set ssl.key.location");
  auto key = read_file(location);
  if (!key) return pass(key.error(), "ssl.key.location");
  return use_key(context, *key, "ssl.key.location", config.get("ssl.key.password"));
}

}  // namespace

struct TlsSession::Seen {
  int error = X509_V_OK;
  std::string subject, issuer, names, from, until;

  static int look(int well, X509_STORE_CTX* store) {
    if (well == 1) return 1;
    auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    auto& seen = *static_cast<Seen*>(SSL_get_app_data(ssl));
    seen.error = X509_STORE_CTX_get_error(store);
    if (const X509* one = X509_STORE_CTX_get_current_cert(store)) {
      seen.subject = name_text(X509_get_subject_name(one));
      seen.issuer = name_text(X509_get_issuer_name(one));
      seen.names = alternative_names(one);
      seen.from = time_text(X509_get0_notBefore(one));
      seen.until = time_text(X509_get0_notAfter(one));
    }
    return 0;
  }

  std::string text(const std::string& host) const {
    switch (error) {
      case X509_V_ERR_CERT_HAS_EXPIRED:
        return fmt::format(
            "the certificate {} has expired ({}): the cluster's owner must renew it (or is this machine's clock "
            "wrong?)",
            subject, until);
      case X509_V_ERR_CERT_NOT_YET_VALID:
        return fmt::format("the certificate {} is good only from {} on: is this machine's clock right?", subject, from);
      case X509_V_ERR_HOSTNAME_MISMATCH:
      case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return fmt::format(
            "its certificate is for {}, not for {}: name the cluster by one of these (or, where you know what "
            "that means, set ssl.endpoint.identification.algorithm= to nothing)",
            names, host);
      case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
      case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
      case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      case X509_V_ERR_CERT_SIGNATURE_FAILURE:
        return fmt::format(
            "its certificate is signed by '{}', which is not among the trusted ones: give the cluster's CA by "
            "ssl.truststore.location (a PEM file)",
            issuer);
      default: return fmt::format("its certificate {} is refused: {}", subject, X509_verify_cert_error_string(error));
    }
  }
};

namespace {

// Why the handshake, or what follows it, has failed, from OpenSSL's queue.
Error tls_failure() {
  const unsigned long first = ERR_peek_error();
  const int reason = ERR_GET_REASON(first);
  const std::string text = openssl_error();
  switch (reason) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_UNEXPECTED_MESSAGE:
    case SSL_R_BAD_PROTOCOL_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_UNKNOWN_PROTOCOL: return {Code::invalid, fmt::format("it does not speak TLS ({})", text)};
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
      return {Code::denied, "it asks for a client certificate: set ssl.keystore.location (PKCS#12 or PEM)"};
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
      return {
          Code::denied,
          fmt::format("it refuses this client's certificate, or misses one ({}): look at ssl.keystore.location", text)};
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
      return {Code::denied,
              fmt::format("it and this client have no TLS version or cipher in common, or it asks for a client "
                          "certificate ({})",
                          text)};
    default: return {Code::unavailable, fmt::format("TLS failed ({})", text)};
  }
}

}  // namespace

Result<std::shared_ptr<const TlsContext>> TlsContext::create(const ClientConfig& config) {
  ERR_clear_error();
  auto made = std::shared_ptr<TlsContext>(new TlsContext(SSL_CTX_new(TLS_client_method())));
  SSL_CTX* context = made->context_;
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  if (config.get("enable.ssl.certificate.verification") == "false") {
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
    made->checks_name_ = false;
  } else {
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    if (auto trusted = trust(context, config); !trusted) return pass(trusted.error());
    made->checks_name_ = config.get("ssl.endpoint.identification.algorithm") != "none";
  }
  if (auto own = own_certificate(context, config); !own) return pass(own.error());
  return made;
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

std::string TlsContext::own_subject() const {
  const X509* own = SSL_CTX_get0_certificate(context_);
  return own ? name_text(X509_get_subject_name(own)) : "";
}

TlsSession::TlsSession(std::shared_ptr<const TlsContext> context, const std::string& host)
    : context_(std::move(context)), host_(host), seen_(std::make_unique<Seen>()), ssl_(SSL_new(context_->get())) {
  SSL_set_bio(ssl_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_app_data(ssl_, seen_.get());
  if (SSL_get_verify_mode(ssl_) != SSL_VERIFY_NONE) SSL_set_verify(ssl_, SSL_VERIFY_PEER, Seen::look);
  if (context_->checks_name()) SSL_set1_host(ssl_, host.c_str());
  if (host.find_first_not_of("0123456789.:") != std::string::npos) SSL_set_tlsext_host_name(ssl_, host.c_str());
  SSL_set_connect_state(ssl_);
}

TlsSession::~TlsSession() { SSL_free(ssl_); }

void TlsSession::received(std::string_view bytes) {
  BIO_write(SSL_get_rbio(ssl_), bytes.data(), static_cast<int>(bytes.size()));
}

std::string TlsSession::to_send() {
  char* text = nullptr;
  const long size = BIO_get_mem_data(SSL_get_wbio(ssl_), &text);
  std::string bytes(text, static_cast<size_t>(size > 0 ? size : 0));
  (void)BIO_reset(SSL_get_wbio(ssl_));
  return bytes;
}

Result<bool> TlsSession::handshake() {
  ERR_clear_error();
  const int done = SSL_do_handshake(ssl_);
  if (done == 1) return true;
  if (SSL_get_error(ssl_, done) == SSL_ERROR_WANT_READ) return false;
  if (seen_->error != X509_V_OK) {
    ERR_clear_error();
    return fail(Code::denied, "{}", seen_->text(host_));
  }
  return std::unexpected(tls_failure());
}

void TlsSession::write(std::string_view bytes) {
  ERR_clear_error();
  SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
}

Result<size_t> TlsSession::read(char* to, size_t size) {
  ERR_clear_error();
  const int got = SSL_read(ssl_, to, static_cast<int>(size));
  if (got > 0) return static_cast<size_t>(got);
  const int error = SSL_get_error(ssl_, got);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_ZERO_RETURN) return 0;
  return std::unexpected(tls_failure());
}

}  // namespace pinflow::kafka
