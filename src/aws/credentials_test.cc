#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>

#include "aws/default_credentials.h"
#include "aws/machine_credentials.h"
#include "aws/renewed.h"
#include "aws/shared_config.h"
#include "base/clock.h"
#include "http/server.h"

namespace pinflow::aws {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr int64_t kNow = 1'604'883'167'000;

std::string sts_answer(const std::string& action, const std::string& key, int64_t expires_ms) {
  return fmt::format(
      "<{0}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{0}Result><Credentials><AccessKeyId>{1}"
      "</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>{2}</Expiration>"
      "</Credentials></{0}Result></{0}Response>",
      action, key, iso_time(expires_ms));
}

// A machine of its own: variables, a clock, a home folder, and one HTTP server that stands for all services.
class CredentialsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "pinflow-aws-test-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    home_ = name;
    fs::create_directories(home_ / ".aws");
    auto server = http::Server::start({}, [this](const http::Request& request, http::Respond respond) {
      std::lock_guard lock(mutex_);
      seen_.push_back(request);
      const auto answer = answers_.find(request.method + " " + request.target);
      respond(answer == answers_.end() ? http::Response{404, "text/plain", {}, ""} : answer->second);
    });
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
    environment_.variable = [this](const char* variable) -> std::optional<std::string> {
      const auto found = variables_.find(variable);
      if (found == variables_.end()) return std::nullopt;
      return found->second;
    };
    environment_.now_ms = [this] { return now_ms_; };
    environment_.home = home_;
    variables_["AWS_EC2_METADATA_DISABLED"] = "true";
  }
  void TearDown() override {
    server_->stop();
    fs::remove_all(home_);
  }

  std::string url() const { return fmt::format("http://127.0.0.1:{}", server_->port()); }
  void answer(const std::string& request, std::string body, int status = 200) {
    std::lock_guard lock(mutex_);
    answers_[request] = {status, "text/xml", {}, std::move(body)};
  }
  std::vector<http::Request> seen() {
    std::lock_guard lock(mutex_);
    return seen_;
  }
  void write(const std::string& file, const std::string& text) { std::ofstream(home_ / ".aws" / file) << text; }
  std::shared_ptr<CredentialsProvider> chain(std::string profile = "") {
    return default_credentials({std::move(profile), environment_});
  }

  fs::path home_;
  std::map<std::string, std::string> variables_;
  int64_t now_ms_ = kNow;
  Environment environment_;
  std::mutex mutex_;
  std::map<std::string, http::Response> answers_;
  std::vector<http::Request> seen_;
  std::unique_ptr<http::Server> server_;
};

TEST_F(CredentialsTest, NoneIsAnErrorThatSaysWhereWasLooked) {
  auto got = chain()->get();
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Code::denied);
  EXPECT_THAT(got.error().message, HasSubstr("AWS_ACCESS_KEY_ID is not set, the profile 'default' in ~/.aws has none"));
}

TEST_F(CredentialsTest, TheEnvironmentComesFirst) {
  write("credentials", "[default]\naws_access_key_id = FILE\naws_secret_access_key = f\n");
  variables_["AWS_ACCESS_KEY_ID"] = "ENV";
  EXPECT_THAT(chain()->get().error().message, HasSubstr("AWS_ACCESS_KEY_ID is set without AWS_SECRET_ACCESS_KEY"));
  variables_["AWS_SECRET_ACCESS_KEY"] = "e";
  variables_["AWS_SESSION_TOKEN"] = "t";
  auto provider = chain();
  EXPECT_EQ(provider->get()->access_key_id, "ENV");
  EXPECT_EQ(provider->get()->session_token, "t");
  EXPECT_EQ(provider->from(), "the environment");
  EXPECT_EQ(chain("default")->get()->access_key_id, "FILE");  // asked for by name
}

TEST_F(CredentialsTest, ProfilesOfBothFiles) {
  write("config",
        "[default]\nregion = eu-west-1 # a comment\n[profile dev]\nregion=us-west-2\ns3 =\n  addressing = x\n"
        "[sso-session dev]\naws_access_key_id = NO\n");
  write("credentials", "[dev]\naws_access_key_id = DEV\naws_secret_access_key = d#x\naws_session_token = tt\n");
  variables_["AWS_PROFILE"] = "dev";
  auto got = chain()->get();
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->access_key_id, "DEV");
  EXPECT_EQ(got->secret_access_key, "d#x");
  auto config = SharedConfig::read(environment_);
  ASSERT_TRUE(config);
  EXPECT_EQ(configured_region(environment_, *config), "us-west-2");
  variables_["AWS_PROFILE"] = "gone";
  EXPECT_THAT(chain()->get().error().message, HasSubstr("the AWS profile 'gone' stands in neither shared file"));
  write("config", "[default]\nnonsense\n");
  EXPECT_THAT(chain()->get().error().message, HasSubstr("config:2: neither a section nor KEY = VALUE"));
}

TEST_F(CredentialsTest, ARoleIsAssumedWithItsSourceProfileAndRenewed) {
  write(
      "config",
      "[profile base]\naws_access_key_id=BASE\naws_secret_access_key=b\n[profile dev]\nrole_arn=arn:aws:iam::1:role/x\n"
      "source_profile=base\nexternal_id=e\nregion=eu-west-1\n");
  variables_["AWS_ENDPOINT_URL_STS"] = url();
  variables_["AWS_PROFILE"] = "dev";
  answer("POST /", sts_answer("AssumeRole", "LENT1", kNow + 3'600'000));
  auto provider = chain();
  auto got = provider->get();
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->access_key_id, "LENT1");
  EXPECT_EQ(got->session_token, "t");
  EXPECT_EQ(provider->from(), "the profile dev (role arn:aws:iam::1:role/x)");
  ASSERT_EQ(seen().size(), 1u);
  EXPECT_THAT(seen()[0].body,
              HasSubstr("Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fx"));
  EXPECT_THAT(seen()[0].body, HasSubstr("ExternalId=e"));
  EXPECT_THAT(std::string(seen()[0].header("Authorization")), HasSubstr("Credential=BASE/20201109/eu-west-1/sts/"));

  now_ms_ += 3'600'000 - Renewed::kRenewBeforeMs - 1;
  EXPECT_EQ(provider->get()->access_key_id, "LENT1");
  EXPECT_EQ(seen().size(), 1u);
  now_ms_ += 2;
  answer("POST /", "<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>", 400);
  EXPECT_EQ(provider->get()->access_key_id, "LENT1");  // still good
  EXPECT_EQ(seen().size(), 4u);                        // three attempts, as it may pass
  EXPECT_EQ(provider->get()->access_key_id, "LENT1");
  EXPECT_EQ(seen().size(), 4u);
  now_ms_ += Renewed::kRetryAfterMs;
  answer("POST /", sts_answer("AssumeRole", "LENT2", now_ms_ + 3'600'000));
  EXPECT_EQ(provider->get()->access_key_id, "LENT2");
  now_ms_ += 4'000'000;
  answer("POST /", "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error></ErrorResponse>",
         403);
  auto ended = provider->get();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Code::denied);
  EXPECT_THAT(ended.error().message, HasSubstr("STS answered 403 AccessDenied: not you"));
}

TEST_F(CredentialsTest, WhatAlwaysEndsSoonIsNotAskedForEachTime) {
  int asked = 0;
  Renewed provider(
      [&]() -> Result<Renewed::Found> {
        return Renewed::Found{{fmt::format("K{}", ++asked), "s", "", now_ms_ + 120'000}, "x"};
      },
      environment_.now_ms);
  EXPECT_EQ(provider.get()->access_key_id, "K1");
  EXPECT_EQ(provider.get()->access_key_id, "K1");
  now_ms_ += Renewed::kRetryAfterMs;
  EXPECT_EQ(provider.get()->access_key_id, "K2");
}

TEST_F(CredentialsTest, ANamedProfilesRoleIsAskedForInItsRegion) {
  write("config",
        "[default]\nregion=us-west-2\n[profile dev]\naws_access_key_id=DEV\naws_secret_access_key=d\n"
        "role_arn=arn:aws:iam::1:role/x\nsource_profile=dev\nregion=eu-west-1\nendpoint_url=" +
            url() + "\n");
  answer("POST /", sts_answer("AssumeRole", "LENT", kNow + 3'600'000));
  auto got = chain("dev")->get();
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_THAT(std::string(seen()[0].header("Authorization")), HasSubstr("Credential=DEV/20201109/eu-west-1/sts/"));
}

TEST_F(CredentialsTest, ARoleOnTopOfAnyProvider) {
  answer("POST /", sts_answer("AssumeRole", "LENT", kNow + 3'600'000));
  const auto provider = role_credentials(fixed_credentials({"BASE", "b", "", {}}), {url(), "eu-west-1"},
                                         {"arn:aws:iam::1:role/msk"}, environment_);
  EXPECT_EQ(provider->get()->access_key_id, "LENT");
  EXPECT_EQ(provider->from(), "the role arn:aws:iam::1:role/msk");
  EXPECT_THAT(std::string(seen()[0].header("Authorization")), HasSubstr("Credential=BASE/"));
}

TEST_F(CredentialsTest, SourceProfilesInACircleAreAnError) {
  write("config", "[profile a]\nrole_arn=r\nsource_profile=b\n[profile b]\nrole_arn=r\nsource_profile=a\n");
  EXPECT_THAT(chain("a")->get().error().message, HasSubstr("its source_profile 'a' has no credentials"));
}

TEST_F(CredentialsTest, AWebIdentity) {
  variables_["AWS_ENDPOINT_URL_STS"] = url();
  variables_["AWS_WEB_IDENTITY_TOKEN_FILE"] = (home_ / "token").string();
  EXPECT_THAT(chain()->get().error().message, HasSubstr("without AWS_ROLE_ARN"));
  variables_["AWS_ROLE_ARN"] = "arn:aws:iam::1:role/w";
  EXPECT_THAT(chain()->get().error().message, HasSubstr("the web identity's token"));
  std::ofstream(home_ / "token") << "jwt.a.b\n";
  answer("POST /", sts_answer("AssumeRoleWithWebIdentity", "WEB", kNow + 3'600'000));
  auto got = chain()->get();
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->access_key_id, "WEB");
  EXPECT_THAT(seen().back().body, HasSubstr("WebIdentityToken=jwt.a.b"));
  EXPECT_TRUE(seen().back().header("Authorization").empty());
}

TEST_F(CredentialsTest, AContainersAgent) {
  variables_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://example.com/creds";
  EXPECT_THAT(chain()->get().error().message, HasSubstr("must be https, or name this machine"));
  variables_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://127.0.0.1.example.com/creds";
  EXPECT_THAT(chain()->get().error().message, HasSubstr("must be https, or name this machine"));
  variables_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = url() + "/creds";
  variables_["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "secret token";
  answer("GET /creds",
         R"({"AccessKeyId":"BOX","SecretAccessKey":"s","Token":"t","Expiration":"2020-11-09T06:00:00Z"})");
  auto got = chain()->get();
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->access_key_id, "BOX");
  EXPECT_EQ(got->expires_ms, parse_iso_time("2020-11-09T06:00:00Z"));
  EXPECT_EQ(seen().back().header("Authorization"), "secret token");
}

TEST_F(CredentialsTest, AnInstancesRole) {
  variables_.erase("AWS_EC2_METADATA_DISABLED");
  variables_["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = url();
  EXPECT_THAT(chain()->get().error().message, HasSubstr("no instance's role"));
  answer("PUT /latest/api/token", "TOKEN");
  EXPECT_THAT(chain()->get().error().message, HasSubstr("no instance's role"));
  answer("GET /latest/meta-data/iam/security-credentials/", "the-role");
  answer(
      "GET /latest/meta-data/iam/security-credentials/the-role",
      R"({"Code":"Success","AccessKeyId":"INST","SecretAccessKey":"s","Token":"t","Expiration":"2020-11-09T06:00:00Z"})");
  auto got = chain()->get();
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->access_key_id, "INST");
  EXPECT_EQ(seen().back().header("X-aws-ec2-metadata-token"), "TOKEN");
  answer("GET /latest/meta-data/iam/security-credentials/the-role",
         R"({"Code":"AssumeRoleUnauthorizedAccess","Message":"no"})");
  EXPECT_THAT(chain()->get().error().message, HasSubstr("AssumeRoleUnauthorizedAccess: no"));
}

TEST_F(CredentialsTest, ACommandOfTheProfile) {
  write("config", R"([profile p]
credential_process = echo '{"Version":1,"AccessKeyId":"PROC","SecretAccessKey":"s","SessionToken":"t"}'
[profile q]
credential_process = echo no
[profile r]
credential_process = echo '{"Version":1,"AccessKeyId":"PROC","SecretAccessKey":"s"}'; exit 3
)");
  EXPECT_EQ(chain("p")->get()->access_key_id, "PROC");
  EXPECT_EQ(chain("p")->get()->session_token, "t");
  EXPECT_THAT(chain("q")->get().error().message, HasSubstr("the profile q: credential_process: the answer"));
  EXPECT_THAT(chain("r")->get().error().message, HasSubstr("the profile r: credential_process ended with status 3"));
}

TEST_F(CredentialsTest, WhatIsForgottenIsAskedForAgain) {
  int asked = 0;
  Renewed provider(
      [&]() -> Result<Renewed::Found> {
        return Renewed::Found{{fmt::format("K{}", ++asked), "s", "", {}}, "x"};
      },
      environment_.now_ms);
  EXPECT_EQ(provider.get()->access_key_id, "K1");
  EXPECT_EQ(provider.get()->access_key_id, "K1");
  provider.forget();
  EXPECT_EQ(provider.get()->access_key_id, "K2");
}

TEST_F(CredentialsTest, EndpointsAndRegions) {
  write("config", "[default]\nendpoint_url = http://file\n");
  auto config = SharedConfig::read(environment_);
  EXPECT_EQ(configured_endpoint(environment_, *config, "S3"), "http://file");
  variables_["AWS_ENDPOINT_URL"] = "http://all";
  variables_["AWS_ENDPOINT_URL_S3"] = "http://s3";
  EXPECT_EQ(configured_endpoint(environment_, *config, "S3"), "http://s3");
  EXPECT_EQ(configured_endpoint(environment_, *config, "STS"), "http://all");
  variables_["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "True";
  EXPECT_EQ(configured_endpoint(environment_, *config, "STS"), std::nullopt);
  EXPECT_EQ(sts_endpoint("cn-north-1", "").url, "https://sts.cn-north-1.amazonaws.com.cn");
}

}  // namespace
}  // namespace pinflow::aws
