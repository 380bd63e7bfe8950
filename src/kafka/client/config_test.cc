#include "kafka/client/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

#include "kafka/client/msk_token.h"
#include "kafka/client/oauth_tokens.h"

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

TEST(ClientConfig, IgnoresAndNamesTheRest) {
  testing::internal::CaptureStderr();
  EXPECT_THAT(mapped("auto.offset.reset=earliest\nkey.deserializer=X\nclient.id=me\n"),
              ElementsAre(Pair("client.id", "me")));
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, AllOf(HasSubstr("client.properties"), HasSubstr("auto.offset.reset, key.deserializer"),
                         Not(HasSubstr("earliest"))));
}

TEST(ClientConfig, RefusesWhatItCannotDo) {
  const Error module =
      error_of("security.protocol=SASL_SSL\nsasl.jaas.config=com.sun.security.auth.module.Krb5LoginModule required;\n");
  EXPECT_EQ(module.code, Code::unsupported);
  EXPECT_THAT(module.message,
              AllOf(HasSubstr("client.properties:2"), HasSubstr("Krb5LoginModule is a login module that")));
  EXPECT_EQ(error_of("security.protocol=SASL_SSL\nsasl.mechanism=GSSAPI\n").code, Code::unsupported);
  const Error password = error_of(
      "security.protocol=SASL_SSL\nsasl.jaas.config=a.PlainLoginModule required username=\"u\" passwort=\"geheim\";\n");
  EXPECT_EQ(password.code, Code::invalid);
  EXPECT_THAT(password.message,
              AllOf(HasSubstr("client.properties:2"), HasSubstr("lacks password"), Not(HasSubstr("geheim"))));
}

TEST(ClientConfig, SaysWhichValueIsWrong) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"security.protocol=SASLSSL\n", "client.properties:1: security.protocol is 'SASLSSL'; it must be PLAINTEXT, SSL"},
      {"# x\nrequest.timeout.ms=soon\n",
       "client.properties:2: request.timeout.ms is 'soon'; it must be a whole number"},
      {"enable.ssl.certificate.verification=no\n", "it must be true or false"},
      {"ssl.endpoint.identification.algorithm=http\n", "it must be https, or empty"},
      {"ssl.ca.location=/not/there.pem\n",
       "client.properties:1: ssl.ca.location: the file /not/there.pem is not there"},
      {"ssl.truststore.location=/not/there.p12\n", "the file /not/there.p12 is not there"},
      {"security.protocol=SASL_SSL\n", "client.properties:1: sasl.jaas.config is needed to log in"},
      {"security.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-1\n",
       "client.properties:2: sasl.mechanism 'SCRAM-SHA-1' is none"},
      {"security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.jaas.config=x.ScramLoginModule required username=a "
       "password=b;\n",
       "client.properties:3: sasl.mechanism PLAIN does not go with ScramLoginModule"},
      {"security.protocol=SASL_SSL\nsasl.jaas.config=x.ScramLoginModule required username=a password=b;\n",
       "sasl.mechanism is needed"},
      {"security.protocol=SASL_SSL\nsasl.jaas.config=x.PlainLoginModule required username=\"a\n",
       "has no closing quote"},
      {"security.protocol=SASL_SSL\nsasl.jaas.config=x.PlainLoginModule username=a;\n", "the word required"},
      {"security.protocol=SASL_SSL\nsasl.mechanism=OAUTHBEARER\n", "needs to know where tokens come from"},
      {"security.protocol=SASL_SSL\nsasl.mechanism=OAUTHBEARER\nsasl.oauthbearer.token.endpoint.url=ftp://x\n",
       "must begin with https://, http:// or file:"},
      {"security.protocol=SASL_SSL\nsasl.mechanism=AWS_MSK_IAM\nsasl.jaas.config=x.IAMLoginModule required "
       "awsRoleArn=\"me\";\n",
       "client.properties:3: awsRoleArn 'me' is no role's ARN"},
  };
  ::setenv("AWS_REGION", "eu-west-1", 1);
  for (const auto& [text, expected] : cases)
    EXPECT_THAT(error_of(text).message, HasSubstr(std::string(expected))) << text;
  ::unsetenv("AWS_REGION");
}

TEST(ClientConfig, FillsInVariables) {
  ASSERT_EQ(::setenv("PINFLOW_TEST_PASSWORD", "s e=cret", 1), 0);
  auto config = mapped(
      "security.protocol=SASL_SSL\nsasl.jaas.config=x.PlainLoginModule required username=\"u\" "
      "password=\"${env:PINFLOW_TEST_PASSWORD}\";\n");
  EXPECT_EQ(config["sasl.password"], "s e=cret");
  ::unsetenv("PINFLOW_TEST_PASSWORD");
  EXPECT_THAT(error_of("client.id=${PINFLOW_TEST_PASSWORD}\n").message,
              HasSubstr("client.properties:1: client.id: the environment variable PINFLOW_TEST_PASSWORD is not set"));
}

TEST(ClientConfig, SaysThatNobodyLogsInWithoutSasl) {
  testing::internal::CaptureStderr();
  auto config = mapped("sasl.mechanism=PLAIN\nsasl.jaas.config=x.PlainLoginModule required username=u password=p;\n");
  EXPECT_THAT(config, IsEmpty());
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("security.protocol is not set, so nobody does"));
}

TEST(ClientConfig, ReadsKafkaRestFiles) {
  const Properties file = properties(
      "id=kafka-rest\nlisteners=http://0.0.0.0:8082\nbootstrap.servers=PLAINTEXT://b-1:9092,PLAINTEXT://b-2:9092\n"
      "zookeeper.connect=z:2181\nclient.security.protocol=PLAINTEXT\nclient.request.timeout.ms=5000\n"
      "producer.request.timeout.ms=6000\nconsumer.request.timeout.ms=7000\n");
  testing::internal::CaptureStderr();
  auto config = client_config("", &file, {.prefixes = {"client.", "producer."}});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->bootstrap_servers, "b-1:9092,b-2:9092");
  EXPECT_EQ(config->get("socket.timeout.ms"), "6000");
  EXPECT_EQ(config->security_protocol(), "plaintext");
  EXPECT_THAT(
      testing::internal::GetCapturedStderr(),
      HasSubstr("ignored, as without a meaning here: id, listeners, zookeeper.connect, consumer.request.timeout.ms"));
  auto of_consumer = client_config("", &file, {.prefixes = {"client.", "consumer."}});
  EXPECT_EQ(of_consumer->get("socket.timeout.ms"), "7000");
}

TEST(ClientConfig, KnowsAKafkaRestFileByItsKeys) {
  const Properties file = properties(
      "bootstrap.servers=SASL_PLAINTEXT://b-1:9092\nclient.security.protocol=SASL_PLAINTEXT\n"
      "client.sasl.mechanism=PLAIN\nclient.sasl.jaas.config=x.PlainLoginModule required username=u password=p;\n");
  testing::internal::CaptureStderr();
  auto config = client_config("", &file);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->security_protocol(), "sasl_plaintext");
  EXPECT_EQ(config->get("sasl.username"), "u");
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              AllOf(HasSubstr("client.properties: this is a kafka-rest.properties: its keys behind client. count"),
                    Not(HasSubstr("ignored"))));
  // client.id is a key of its own, and security that stands without the prefix is a client's.
  const Properties own = properties("client.id=me\nsecurity.protocol=PLAINTEXT\nclient.security.protocol=SSL\n");
  testing::internal::CaptureStderr();
  auto plain = client_config("b:1", &own);
  EXPECT_EQ(plain->security_protocol(), "plaintext");
  EXPECT_EQ(plain->get("client.id"), "me");
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("ignored, as without a meaning here"));
}

// ---- bearer tokens ---------------------------------------------------------------------------------------------

// A machine of which nothing is known but these variables.
ConfigOptions machine(std::map<std::string, std::string> variables) {
  ConfigOptions options;
  options.environment = {[variables](const char* name) -> std::optional<std::string> {
                           const auto found = variables.find(name);
                           if (found == variables.end()) return std::nullopt;
                           return found->second;
                         },
                         [] { return int64_t{1'600'000'000'000}; }, "/nowhere"};
  return options;
}

TEST(ClientConfig, LogsInToMskByIam) {
  const Properties file = properties(
      "security.protocol = SASL_SSL\nsasl.mechanism = AWS_MSK_IAM\n"
      "sasl.jaas.config = software.amazon.msk.auth.iam.IAMLoginModule required awsDebugCreds=true;\n"
      "sasl.client.callback.handler.class = software.amazon.msk.auth.iam.IAMClientCallbackHandler\n");
  const auto keys =
      machine({{"AWS_ACCESS_KEY_ID", "AKIDTEST"}, {"AWS_SECRET_ACCESS_KEY", "s"}, {"AWS_REGION", "eu-west-1"}});
  testing::internal::CaptureStderr();
  auto config = client_config("b-1.x.kafka.us-east-1.amazonaws.com:9098", &file, keys);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("ignored, as without a meaning here: awsDebugCreds of sasl.jaas.config"));
  EXPECT_EQ(config->get("sasl.mechanism"), "OAUTHBEARER");
  ASSERT_TRUE(config->tokens);
  auto token = config->tokens->get();
  ASSERT_TRUE(token) << token.error().message;
  EXPECT_EQ(token->expires_ms, 1'600'000'000'000 + 900'000);
  EXPECT_EQ(token->principal, "AKIDTEST");
  EXPECT_TRUE(
      token->value.starts_with("aHR0cHM6Ly9rYWZrYS51cy1lYXN0LTEuYW1hem9uYXdzLmNvbS8_"));  // https://kafka.us-east-1…
  auto elsewhere = client_config("127.0.0.1:9098", &file, keys);
  EXPECT_TRUE(elsewhere->tokens->get()->value.starts_with("aHR0cHM6Ly9rYWZrYS5ldS13ZXN0LTEu"));
  EXPECT_THAT(client_config("127.0.0.1:9098", &file, machine({})).error().message, HasSubstr("set AWS_REGION"));
  auto of_profile = machine({{"AWS_ACCESS_KEY_ID", "AKIDTEST"}, {"AWS_SECRET_ACCESS_KEY", "s"}});
  of_profile.aws_region = "eu-west-1";
  auto told = client_config("127.0.0.1:9098", &file, of_profile);
  ASSERT_TRUE(told) << told.error().message;
  EXPECT_TRUE(told->tokens->get()->value.starts_with("aHR0cHM6Ly9rYWZrYS5ldS13ZXN0LTEu"));
  auto nobody = client_config("127.0.0.1:9098", &file,
                              machine({{"AWS_REGION", "eu-west-1"}, {"AWS_EC2_METADATA_DISABLED", "true"}}));
  ASSERT_TRUE(nobody) << nobody.error().message;
  auto none = nobody->tokens->get();
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::denied);
  EXPECT_THAT(none.error().message, HasSubstr("logging in to MSK by IAM: no AWS credentials"));
}

TEST(ClientConfig, MsksRegionStandsInItsAddress) {
  EXPECT_EQ(msk_region("b-1.a.b.c3.kafka.us-east-1.amazonaws.com:9098"), "us-east-1");
  EXPECT_EQ(msk_region("boot-x.c1.kafka-serverless.eu-west-2.amazonaws.com:9098"), "eu-west-2");
  EXPECT_EQ(msk_region("other:1,b-2.x.kafka.cn-north-1.amazonaws.com.cn:9098"), "cn-north-1");
  for (const char* none :
       {"", "127.0.0.1:9098", "amazonaws.com:1", "kafka.amazonaws.com", "s3.eu-west-1.amazonaws.com:443"})
    EXPECT_EQ(msk_region(none), "") << none;
}

TEST(ClientConfig, TakesUnsecuredTokens) {
  const Properties file = properties(
      "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=OAUTHBEARER\n"
      "sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required "
      "unsecuredLoginStringClaim_sub=\"ann\" unsecuredLoginLifetimeSeconds=\"60\" extension_logicalCluster='lkc-1';\n");
  auto config = client_config("b:1", &file, machine({}));
  ASSERT_TRUE(config) << config.error().message;
  auto token = config->tokens->get();
  ASSERT_TRUE(token);
  EXPECT_EQ(token->expires_ms, 1'600'000'060'000);
  EXPECT_THAT(token->extensions, ElementsAre(Pair("logicalCluster", "lkc-1")));
  auto claims = read_claims(token->value);
  ASSERT_TRUE(claims);
  EXPECT_EQ(claims->subject, "ann");
  EXPECT_EQ(claims->expires_ms, 1'600'000'060'000);
}

TEST(Tokens, OfAnIdentityProvider) {
  const int64_t now = 1'600'000'000'000;
  auto opaque = parse_token_answer(200, R"({"access_token":"x-y","expires_in":120})", now);
  ASSERT_TRUE(opaque) << opaque.error().message;
  EXPECT_EQ(opaque->expires_ms, now + 120'000);
  const auto jwt = unsecured_tokens("bob", 30, {}, [=] { return now; })->get()->value;
  auto token = parse_token_answer(200, fmt::format(R"({{"access_token":"{}","expires_in":3600}})", jwt), now);
  EXPECT_EQ(token->expires_ms, now + 30'000);  // what the token says itself counts
  EXPECT_EQ(token->principal, "bob");
  EXPECT_EQ(parse_token_answer(503, "busy", now).error().code, Code::unavailable);
  auto refused = parse_token_answer(401, R"({"error":"invalid_client","error_description":"who?"})", now);
  EXPECT_EQ(refused.error().code, Code::denied);
  EXPECT_THAT(refused.error().message, HasSubstr("401 invalid_client who?"));
  EXPECT_THAT(parse_token_answer(200, "<html>", now).error().message, HasSubstr("without an access_token"));
  for (const char* no_token : {"", "a", "a.b", "a.!.c", "a.e30", "a.W10.c"})
    EXPECT_FALSE(read_claims(no_token)) << no_token;
  EXPECT_TRUE(read_claims("a.e30.c"));
}

}  // namespace
}  // namespace pinflow::kafka
