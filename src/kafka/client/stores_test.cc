// Stores of keys as client.properties names them. The stores are made here, by OpenSSL.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>

#include <filesystem>
#include <fstream>

#include "kafka/client/config.h"
#include "kafka/client/key_stores.h"
#include "kafka/client/openssl.h"
#include "kafka/client/tls.h"

namespace pinflow::kafka {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string text_of_bio(BIO* bio) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  return {text, static_cast<size_t>(size)};
}

class Stores : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "pinflow-stores-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    key_.reset(EVP_EC_gen("P-256"));
    certificate_.reset(X509_new());
    X509_set_version(certificate_.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate_.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate_.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate_.get()), 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate_.get()), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("ann"), -1, -1, 0);
    X509_set_issuer_name(certificate_.get(), X509_get_subject_name(certificate_.get()));
    X509_set_pubkey(certificate_.get(), key_.get());
    X509_sign(certificate_.get(), key_.get(), EVP_sha256());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_ / name) << bytes;
    return (folder_ / name).string();
  }
  std::string pkcs12(const std::string& password, bool with_key) {
    STACK_OF(X509)* others = sk_X509_new_null();
    sk_X509_push(others, certificate_.get());
    const Pkcs12 store(PKCS12_create(password.c_str(), "x", with_key ? key_.get() : nullptr,
                                     with_key ? certificate_.get() : nullptr, others, 0, 0, 0, 0, 0));
    sk_X509_free(others);
    const Bio out(BIO_new(BIO_s_mem()));
    i2d_PKCS12_bio(out.get(), store.get());
    return text_of_bio(out.get());
  }
  std::string pem(bool with_key, const char* password = nullptr) {
    const Bio out(BIO_new(BIO_s_mem()));
    if (with_key) {
      PEM_write_bio_PKCS8PrivateKey(out.get(), key_.get(), password ? EVP_aes_256_cbc() : nullptr, password,
                                    password ? static_cast<int>(strlen(password)) : 0, nullptr, nullptr);
    }
    PEM_write_bio_X509(out.get(), certificate_.get());
    return text_of_bio(out.get());
  }
  Result<ClientConfig> config(const std::string& lines) {
    const auto file = Properties::parse("security.protocol=SSL\n" + lines, (folder_ / "client.properties").string());
    return client_config("b:1", &*file);
  }

  std::filesystem::path folder_;
  PrivateKey key_;
  Certificate certificate_;
};

TEST_F(Stores, AreToldByTheirFirstBytes) {
  EXPECT_EQ(store_kind(pkcs12("x", true)), StoreKind::pkcs12);
  EXPECT_EQ(store_kind(pem(true)), StoreKind::pem);
  EXPECT_EQ(store_kind("\xfe\xed\xfe\xed\x00"), StoreKind::jks);
  EXPECT_EQ(store_kind("hello"), StoreKind::other);
  EXPECT_EQ(store_kind(""), StoreKind::other);
}

TEST_F(Stores, APkcs12TrustStoreIsReadWhateverItsName) {
  const auto path = write("trust.jks", pkcs12("pw", false));
  auto read = config("ssl.truststore.location=" + path + "\nssl.truststore.password=pw\n");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_THAT(read->get("ssl.ca.pem"), HasSubstr("-----BEGIN CERTIFICATE-----"));
  EXPECT_TRUE(TlsContext::create(*read));
  auto wrong = config("ssl.truststore.location=" + path + "\nssl.truststore.password=geheim\n");
  EXPECT_EQ(wrong.error().code, Code::denied);
  EXPECT_THAT(wrong.error().message, AllOf(HasSubstr("client.properties:2: ssl.truststore.location: " + path),
                                           HasSubstr("its password is another"), Not(HasSubstr("geheim"))));
  EXPECT_THAT(config("ssl.truststore.location=" + path + "\n").error().message, HasSubstr("its password is needed"));
}

TEST_F(Stores, AKeyStoreMustHoldAKey) {
  const auto path = write("me.p12", pkcs12("pw", true));
  auto read = config("ssl.keystore.location=" + path + "\nssl.keystore.password=pw\n");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->get("ssl.keystore.location"), path);
  auto context = TlsContext::create(*read);
  ASSERT_TRUE(context) << context.error().message;
  EXPECT_EQ((*context)->own_subject(), "CN=ann");
  EXPECT_EQ(config("ssl.keystore.location=" + path + "\nssl.keystore.password=x\n").error().code, Code::denied);
  const auto empty = write("trust.p12", pkcs12("pw", false));
  EXPECT_THAT(config("ssl.keystore.location=" + empty + "\nssl.keystore.password=pw\n").error().message,
              HasSubstr("holds no private key"));
  const auto damaged = write("damaged.p12", pkcs12("pw", true).substr(0, 100));
  EXPECT_THAT(config("ssl.keystore.location=" + damaged + "\n").error().message, HasSubstr("it is damaged"));
}

TEST_F(Stores, PemIsReadFromBesideTheFile) {
  write("me.pem", pem(true));
  write("ca.pem", pem(false));
  auto read = config("ssl.keystore.location=me.pem\nssl.truststore.location=ca.pem\n");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->get("ssl.key.location"), (folder_ / "me.pem").string());
  auto context = TlsContext::create(*read);
  ASSERT_TRUE(context) << context.error().message;
  EXPECT_EQ((*context)->own_subject(), "CN=ann");
  write("locked.pem", pem(true, "open sesame"));
  auto locked = TlsContext::create(*config("ssl.keystore.location=locked.pem\n"));
  EXPECT_THAT(locked.error().message, HasSubstr("ssl.key.password is needed"));
  EXPECT_TRUE(TlsContext::create(*config("ssl.keystore.location=locked.pem\nssl.key.password=open sesame\n")));
  EXPECT_EQ(TlsContext::create(*config("ssl.keystore.location=locked.pem\nssl.key.password=no\n")).error().code,
            Code::denied);
}

TEST_F(Stores, JavasOldFormIsToldHowToConvert) {
  const auto path = write("old.jks", std::string("\xfe\xed\xfe\xed\x00\x00\x00\x02", 8));
  auto trust = config("ssl.truststore.location=" + path + "\nssl.truststore.password=x\n");
  EXPECT_EQ(trust.error().code, Code::unsupported);
  EXPECT_THAT(trust.error().message,
              AllOf(HasSubstr("client.properties:2"), HasSubstr("keytool -list -rfc -keystore " + path)));
  auto key = config("ssl.keystore.location=" + path + "\n");
  EXPECT_EQ(key.error().code, Code::unsupported);
  EXPECT_THAT(key.error().message, HasSubstr("keytool -importkeystore -srckeystore " + path));
  const auto javas = write("kafka.client.truststore.jks", std::string("\xfe\xed\xfe\xed\x00\x00\x00\x02", 8));
  auto own = config("ssl.truststore.location=" + javas + "\nssl.truststore.password=x\n");
  ASSERT_TRUE(own) << own.error().message;
  EXPECT_EQ(own->get("ssl.ca.location"), "");
  EXPECT_THAT(config("ssl.truststore.location=" + write("x.p12", "hello") + "\n").error().message,
              HasSubstr("no store of keys that is known"));
}

}  // namespace
}  // namespace pinflow::kafka
