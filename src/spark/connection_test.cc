#include "spark/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pinflow::spark {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

std::string refused(std::string_view text) {
  auto connection = parse_connection(text);
  EXPECT_FALSE(connection) << text;
  if (connection) return "";
  EXPECT_EQ(connection.error().code, Code::invalid);
  return connection.error().message;
}

TEST(ConnectionString, HostAlone) {
  for (const char* text : {"sc://myhost.com", "sc://myhost.com/", "sc://myhost.com/;"}) {
    const auto connection = parse_connection(text);
    ASSERT_TRUE(connection) << text;
    EXPECT_EQ(connection->host, "myhost.com");
    EXPECT_EQ(connection->port, 15002);
    EXPECT_FALSE(connection->tls);
    EXPECT_EQ(connection->shown(), "sc://myhost.com:15002");
  }
}

TEST(ConnectionString, AsDatabricksIsReached) {
  const auto connection = parse_connection(
      "sc://dbc-1.cloud.databricks.com:443/;use_ssl=true;token=dapi%2Babc;x-databricks-cluster-id=0123-456-abc;"
      "user_id=me%40example.com;user_agent=notes/2;session_id=00112233-4455-6677-8899-AABBCCDDEEFF");
  ASSERT_TRUE(connection) << connection.error().message;
  EXPECT_EQ(connection->port, 443);
  EXPECT_TRUE(connection->tls);
  EXPECT_EQ(connection->token, "dapi+abc");
  EXPECT_EQ(connection->user_id, "me@example.com");
  EXPECT_EQ(connection->user_agent, "notes/2");
  EXPECT_EQ(connection->session_id, "00112233-4455-6677-8899-AABBCCDDEEFF");
  EXPECT_THAT(connection->headers, ElementsAre(Pair("x-databricks-cluster-id", "0123-456-abc")));
  EXPECT_THAT(connection->shown(), Not(HasSubstr("dapi")));
}

TEST(ConnectionString, ATokenImpliesTls) {
  EXPECT_TRUE(parse_connection("sc://h/;token=a")->tls);
  EXPECT_TRUE(parse_connection("sc://h/;token=a;use_ssl=true")->tls);
  EXPECT_TRUE(parse_connection("sc://h/;token=a;use_ssl=TRUE")->tls);
  EXPECT_FALSE(parse_connection("sc://127.0.0.1/;token=a;use_ssl=false")->tls);
  EXPECT_FALSE(parse_connection("sc://localhost/;use_ssl=false;token=a")->tls);
  EXPECT_THAT(refused("sc://h/;token=a;use_ssl=false"), HasSubstr("in clear"));
  EXPECT_THAT(refused("sc://127.evil.example/;token=a;use_ssl=false"), HasSubstr("in clear"));
}

TEST(ConnectionString, ATokenFromElsewhere) {
  auto connection = *parse_connection("sc://h");
  ASSERT_TRUE(give_token(connection, "a"));
  EXPECT_TRUE(connection.tls);
  EXPECT_EQ(connection.token, "a");
  auto plain = *parse_connection("sc://h/;use_ssl=false");
  EXPECT_THAT(give_token(plain, "s3cret").error().message,
              ::testing::AllOf(HasSubstr("in clear"), Not(HasSubstr("s3cret"))));
  auto near = *parse_connection("sc://127.0.0.1/;use_ssl=false");
  ASSERT_TRUE(give_token(near, "a"));
  EXPECT_FALSE(near.tls);
  EXPECT_THAT(give_token(near, "s3cret\n").error().message, Not(HasSubstr("s3cret")));
  EXPECT_FALSE(give_token(near, ""));
}

TEST(ConnectionString, Ipv6AndLimits) {
  const auto connection = parse_connection("sc://[::1]:99/;grpc_max_message_size=1048576");
  ASSERT_TRUE(connection);
  EXPECT_EQ(connection->host, "[::1]");
  EXPECT_EQ(connection->port, 99);
  EXPECT_EQ(connection->max_message, 1048576);
}

TEST(ConnectionString, AnythingElseIsAHeader) {
  const auto connection = parse_connection("sc://h/;X-Tenant=acme;x-empty=");
  ASSERT_TRUE(connection);
  EXPECT_THAT(connection->headers, ElementsAre(Pair("x-tenant", "acme"), Pair("x-empty", "")));
  EXPECT_THAT(refused("sc://h/;grpc-timeout=1"), HasSubstr("grpc-timeout"));
  EXPECT_THAT(refused("sc://h/;x-a=%0d%0ax"), HasSubstr("x-a"));
  EXPECT_THAT(refused("sc://h/;a b=1"), HasSubstr("a b"));
}

TEST(ConnectionString, Refused) {
  EXPECT_THAT(refused("http://h"), HasSubstr("sc://"));
  EXPECT_THAT(refused("sc://"), HasSubstr("no host"));
  EXPECT_THAT(refused("sc://:15002"), HasSubstr("no host"));
  EXPECT_THAT(refused("sc://h:0"), HasSubstr("port"));
  EXPECT_THAT(refused("sc://h:65536"), HasSubstr("port"));
  EXPECT_THAT(refused("sc://h:"), HasSubstr("port"));
  EXPECT_THAT(refused("sc://h:1x/"), HasSubstr("port"));
  EXPECT_THAT(refused("sc://h/path/;token=a"), HasSubstr("no path"));
  EXPECT_THAT(refused("sc://h?token=a"), HasSubstr("no path"));
  EXPECT_THAT(refused("sc://h/;token"), HasSubstr("'='"));
  EXPECT_THAT(refused("sc://h/;=a"), HasSubstr("'='"));
  EXPECT_THAT(refused("sc://h/;;user_id=a"), HasSubstr("'='"));
  EXPECT_THAT(refused("sc://h/;user_id=a;user_id=b"), HasSubstr("twice"));
  EXPECT_THAT(refused("sc://h/;user_id=%4"), HasSubstr("%"));
  EXPECT_THAT(refused("sc://h/;use_ssl=yes"), HasSubstr("true or false"));
  EXPECT_THAT(refused("sc://h/;session_id=abc"), HasSubstr("UUID"));
  EXPECT_THAT(refused("sc://me:secret@h/"), Not(HasSubstr("secret")));
}

TEST(ConnectionString, SecretsAreNotShown) {
  for (const char* text : {"sc://h/;token=s3cret;use_ssl=false", "sc://h/;token=s3cret;token=s3cret",
                           "sc://h/;token=s3cret%zz", "sc://h/;token=s3cret\n", "sc://h/;x-key=s3cret\x01"}) {
    EXPECT_THAT(refused(text), Not(HasSubstr("s3cret"))) << text;
  }
}

}  // namespace
}  // namespace pinflow::spark
