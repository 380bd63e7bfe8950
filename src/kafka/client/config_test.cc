#include "kafka/client/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace pinflow::kafka {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

Properties properties(std::string_view text) { return *Properties::parse(text, "client.properties"); }

std::map<std::string, std::string> mapped(std::string_view text) {
  const Properties file = properties(text);
  auto config = client_config("b:9092", &file);
  EXPECT_TRUE(config) << config.error().message;
  return {config->properties.begin(), config->properties.end()};
}

Error error_of(std::string_view text) {
  const Properties file = properties(text);
  auto config = client_config("b:9092", &file);
  EXPECT_FALSE(config);
  return config ? Error{} : config.error();
}

TEST(ClientConfig, NeedsACluster) {
  auto config = client_config("");
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().message, HasSubstr("--bootstrap-server"));
  EXPECT_EQ(client_config(" PLAINTEXT://a:9092, b:9093 ,")->bootstrap_servers, "a:9092,b:9093");
}

TEST(ClientConfig, TheFlagWinsOverTheFile) {
  const Properties file = properties("bootstrap.servers=in-file:9092\n");
  EXPECT_EQ(client_config("", &file)->bootstrap_servers, "in-file:9092");
  EXPECT_EQ(client_config("flag:1", &file)->bootstrap_servers, "flag:1");
}

TEST(ClientConfig, MapsScram) {
  auto config = mapped(
      "security.protocol = SASL_SSL\n"
      "sasl.mechanism=SCRAM-SHA-512\n"
      "sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \\\n"
      "  username=\"ann\" password=\"p \\\\\"w; =x\";\n");
  EXPECT_EQ(config["security.protocol"], "sasl_ssl");
  EXPECT_EQ(config["sasl.mechanism"], "SCRAM-SHA-512");
  EXPECT_EQ(config["sasl.username"], "ann");
  EXPECT_EQ(config["sasl.password"], "p \"w; =x");
}

TEST(ClientConfig, MapsTls) {
  auto config = mapped(
      "security.protocol=SSL\nssl.truststore.location=/c/ca.pem\nssl.keystore.type=PKCS12\n"
      "ssl.keystore.location=/c/me.p12\nssl.keystore.password=s\nssl.endpoint.identification.algorithm=\n");
  EXPECT_EQ(config["ssl.ca.location"], "/c/ca.pem");
  EXPECT_EQ(config["ssl.keystore.location"], "/c/me.p12");
  EXPECT_EQ(config["ssl.keystore.password"], "s");
  EXPECT_EQ(config["ssl.endpoint.identification.algorithm"], "none");
  auto pem = mapped("ssl.keystore.location=/c/me.pem\n");
  EXPECT_EQ(pem["ssl.certificate.location"], "/c/me.pem");
  EXPECT_EQ(pem["ssl.key.location"], "/c/me.pem");
}

TEST(ClientConfig, IgnoresAndNamesTheRest) {
  testing::internal::CaptureStderr();
  EXPECT_THAT(mapped("auto.offset.reset=earliest\nkey.deserializer=X\nclient.id=me\n"),
              ElementsAre(Pair("client.id", "me")));
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, AllOf(HasSubstr("client.properties"), HasSubstr("auto.offset.reset, key.deserializer"),
                         Not(HasSubstr("earliest"))));
}

TEST(ClientConfig, RefusesWhatItCannotDo) {
  const Error iam = error_of("security.protocol = SASL_SSL\nsasl.mechanism = AWS_MSK_IAM\n");
  EXPECT_EQ(iam.code, Code::unsupported);
  EXPECT_THAT(iam.message, AllOf(HasSubstr("client.properties:2"), HasSubstr("MSK IAM comes with the profiles")));
  const Error jks = error_of("ssl.truststore.location=/x/my.jks\n");
  EXPECT_EQ(jks.code, Code::unsupported);
  EXPECT_THAT(jks.message, AllOf(HasSubstr("client.properties:1"), HasSubstr("ssl.ca.location")));
  const Error password = error_of("sasl.jaas.config=a.PlainLoginModule required username=\"u\" passwort=\"geheim\";\n");
  EXPECT_EQ(password.code, Code::invalid);
  EXPECT_THAT(password.message, AllOf(HasSubstr("client.properties:1"), Not(HasSubstr("geheim"))));
}

TEST(ClientConfig, ReadsKafkaRestFiles) {
  const Properties file = properties(
      "id=kafka-rest\nlisteners=http://0.0.0.0:8082\nbootstrap.servers=PLAINTEXT://b-1:9092,PLAINTEXT://b-2:9092\n"
      "zookeeper.connect=z:2181\nclient.security.protocol=PLAINTEXT\nclient.request.timeout.ms=5000\n");
  auto config = client_config("", &file, "client.");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->bootstrap_servers, "b-1:9092,b-2:9092");
  EXPECT_THAT(config->properties,
              ElementsAre(Pair("security.protocol", "plaintext"), Pair("socket.timeout.ms", "5000")));
  EXPECT_EQ(config->security_protocol(), "plaintext");
  const Properties iam = properties("bootstrap.servers=b:9098\nclient.sasl.mechanism = AWS_MSK_IAM\n");
  EXPECT_EQ(client_config("", &iam, "client.").error().code, Code::unsupported);
}

}  // namespace
}  // namespace pinflow::kafka
