#include "spark/session.h"

#include <gmock/gmock.h>
#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/bytes.h"
#include "spark/arrow_golden_test.h"
#include "spark/recording_server_test.h"

namespace pinflow::spark {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;
using Call = RecordingServer::Call;
using Response = RecordingServer::Response;

const SessionOptions kQuick{.connect_within = std::chrono::seconds(20), .reconnect_within = std::chrono::seconds(5)};

Response rows(const char* stream) {
  Response response;
  std::string bytes;
  base64_decode(stream, bytes);
  response.mutable_arrow_batch()->set_data(bytes);
  return response;
}
Response complete() {
  Response response;
  response.mutable_result_complete();
  return response;
}
// What a query answers before its rows are asked for.
Response relation() {
  Response response;
  response.mutable_sql_command_result()->mutable_relation()->mutable_sql()->set_query("SELECT 1");
  return response;
}
grpc::Status broken() { return {grpc::StatusCode::UNAVAILABLE, "Socket closed"}; }

// As Spark explains itself behind a status.
grpc::Status spark_error(const std::string& error_class, const std::string& error_id = "") {
  ::google::rpc::ErrorInfo info;
  info.set_reason("org.apache.spark.SparkSQLException");
  (*info.mutable_metadata())["errorClass"] = error_class;
  if (!error_id.empty()) (*info.mutable_metadata())["errorId"] = error_id;
  ::google::rpc::Status status;
  auto* detail = status.add_details();
  detail->set_type_url("type.googleapis.com/google.rpc.ErrorInfo");
  detail->set_value(info.SerializeAsString());
  return {grpc::StatusCode::INTERNAL, "[" + error_class + "] cut off", status.SerializeAsString()};
}

std::unique_ptr<Session> open(const Connection& connection) {
  auto session = Session::open(connection, kQuick);
  EXPECT_TRUE(session) << session.error().message;
  return session ? std::move(*session) : nullptr;
}

std::vector<std::string> methods(const RecordingServer& server) {
  std::vector<std::string> out;
  for (const Call& call : server.calls()) out.push_back(call.method);
  return out;
}

class Trusted : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "spark_test.XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    std::ofstream(folder_ / "ca.pem") << server_.identity.certificate;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  Connection connection(const std::string& parameters) {
    Connection out = server_.connection(parameters);
    out.ca_file = folder_ / "ca.pem";
    return out;
  }

  RecordingServer server_{true};
  std::filesystem::path folder_;
};

TEST_F(Trusted, EveryCallCarriesWhatDatabricksAsksFor) {
  server_.then({{relation(), complete()}, {}});
  server_.then({{rows(golden::kTwoBatches), complete()}, {}});
  {
    auto session =
        open(connection(";use_ssl=true;token=dapi-s3cret;x-databricks-cluster-id=0123-abc;"
                        "user_id=me@example.com;user_agent=acme_notes"));
    ASSERT_NE(session, nullptr);
    const auto table = session->query("SELECT 1");
    ASSERT_TRUE(table) << table.error().message;
    EXPECT_THAT(table->rows, SizeIs(5));
    EXPECT_EQ(session->version(), "4.2.0");
  }
  EXPECT_THAT(methods(server_), ElementsAre("AnalyzePlan", "Config", "ExecutePlan", "ReleaseExecute", "ExecutePlan",
                                            "ReleaseExecute", "ReleaseSession"));
  const std::vector<Call> calls = server_.calls();
  for (const Call& call : calls) {
    EXPECT_EQ(call.header("authorization"), "Bearer dapi-s3cret") << call.method;
    EXPECT_EQ(call.header("x-databricks-cluster-id"), "0123-abc") << call.method;
    EXPECT_THAT(call.header("user-agent"), StartsWith("acme_notes pinflow/")) << call.method;
    EXPECT_THAT(call.client_type, StartsWith("acme_notes pinflow/")) << call.method;
    EXPECT_EQ(call.user_id, "me@example.com") << call.method;
    EXPECT_EQ(call.session_id, calls[0].session_id) << call.method;
    EXPECT_EQ(call.headers.count("token") + call.headers.count("use_ssl"), 0u) << call.method;
  }
  EXPECT_THAT(calls[0].session_id, ::testing::MatchesRegex("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"));
  EXPECT_EQ(calls[1].detail, "spark.sql.session.timeZone=UTC;spark.sql.ansi.enabled=true;");
  EXPECT_EQ(calls[2].detail, "SELECT 1");
  EXPECT_TRUE(calls[2].reattachable && calls[4].reattachable);
  EXPECT_NE(calls[2].operation_id, calls[4].operation_id);
  EXPECT_EQ(calls[3].operation_id, calls[2].operation_id);
}

TEST_F(Trusted, ACertificateThatDoesNotCheckGetsNoToken) {
  const auto session = Session::open(server_.connection(";token=dapi-s3cret"), kQuick);  // the system's authorities
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, Code::unavailable);
  EXPECT_THAT(session.error().message,
              AllOf(HasSubstr("certificate"), HasSubstr("engine.ca"), Not(HasSubstr("s3cret"))));
  EXPECT_THAT(server_.calls(), IsEmpty());
}

TEST_F(Trusted, APlainClientIsToldAboutTls) {
  const auto session = Session::open(server_.connection(), {.connect_within = std::chrono::milliseconds(100)});
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, Code::unavailable);
  EXPECT_THAT(session.error().message, HasSubstr("127.0.0.1"));
}

TEST(Session, ATlsClientIsToldThatTheServerIsPlain) {
  RecordingServer server;
  for (const char* parameters : {";use_ssl=true", ";token=dapi-s3cret"}) {
    const auto session = Session::open(server.connection(parameters), kQuick);
    ASSERT_FALSE(session);
    EXPECT_EQ(session.error().code, Code::unavailable);
    EXPECT_THAT(session.error().message, AllOf(HasSubstr("does not speak TLS"), HasSubstr(";use_ssl=false"),
                                               Not(HasSubstr("certificate")), Not(HasSubstr("s3cret"))));
  }
  EXPECT_THAT(server.calls(), IsEmpty());
  auto session = open(server.connection(";token=dapi-s3cret;use_ssl=false"));  // as that hint says
  ASSERT_NE(session, nullptr);
  EXPECT_EQ(server.calls().at(0).header("authorization"), "Bearer dapi-s3cret");
}

TEST_F(Trusted, ATokenThatIsRefusedIsSaidAndNotShown) {
  for (const auto code : {grpc::StatusCode::UNAUTHENTICATED, grpc::StatusCode::PERMISSION_DENIED}) {
    server_.analyze_fails.push_back({code, "Invalid access token."});
    const auto session = Session::open(connection(";token=dapi-s3cret"), kQuick);
    ASSERT_FALSE(session);
    EXPECT_EQ(session.error().code, Code::denied);
    EXPECT_THAT(session.error().message, AllOf(HasSubstr("expired"), HasSubstr("token="), Not(HasSubstr("s3cret"))));
  }
}

TEST_F(Trusted, ATokenThatExpiresMeanwhileEndsTheStatement) {
  auto session = open(connection(";token=dapi-s3cret"));
  ASSERT_NE(session, nullptr);
  server_.then({{relation()}, broken()});
  server_.then({{}, {grpc::StatusCode::UNAUTHENTICATED, "The access token has expired."}});
  const auto done = session->execute("INSERT INTO t SELECT 1");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::denied);
  EXPECT_THAT(done.error().message, AllOf(HasSubstr("has expired"), HasSubstr("not known"), Not(HasSubstr("s3cret"))));
  EXPECT_THAT(server_.calls("ExecutePlan"), SizeIs(1));
}

TEST(Opening, WaitsForAClusterThatStarts) {
  RecordingServer server;
  for (int i = 0; i < 3; ++i)
    server.analyze_fails.push_back({grpc::StatusCode::UNAVAILABLE, "the cluster is starting"});
  EXPECT_NE(open(server.connection()), nullptr);
  EXPECT_THAT(server.calls("AnalyzePlan"), SizeIs(4));
}

TEST(Opening, AnAddressWithoutAServerFailsAtOnce) {
  const auto session = Session::open(*parse_connection("sc://127.0.0.1:1"), {.connect_within = std::chrono::hours(1)});
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, Code::unavailable);
  EXPECT_THAT(session.error().message, StartsWith("sc://127.0.0.1:1: "));
}

TEST(Opening, AnOldSparkIsRefused) {
  RecordingServer server;
  server.version = "3.5.6";
  const auto session = Session::open(server.connection(), kQuick);
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, Code::unsupported);
  EXPECT_THAT(session.error().message, HasSubstr("3.5.6"));
}

TEST(Opening, AGivenSessionIdIsUsed) {
  RecordingServer server;
  auto session = open(server.connection(";session_id=00112233-4455-6677-8899-aabbccddeeff"));
  EXPECT_EQ(session->session_id(), "00112233-4455-6677-8899-aabbccddeeff");
  EXPECT_EQ(server.calls()[0].session_id, "00112233-4455-6677-8899-aabbccddeeff");
  session.reset();
  EXPECT_THAT(server.calls("ReleaseSession"), IsEmpty());  // it is not ours to end
}

TEST(BrokenConnection, IsAttachedToAgainBehindTheLastResponse) {
  RecordingServer server;
  auto session = open(server.connection());
  Response first = relation(), second = rows(golden::kTwoBatches), third = rows(golden::kTwoBatches);
  first.set_response_id("a");
  second.set_response_id("b");
  third.set_response_id("c");
  server.then({{first}, broken()});
  server.then({{}, broken()});
  server.then({{complete()}, {}});
  server.then({{second}, {grpc::StatusCode::INTERNAL, "Received RST_STREAM with error code 2"}});
  server.then({{third}, {}});  // a server that ends a long stream without ending the statement
  server.then({{complete()}, {}});
  const auto table = session->query("INSERT INTO t SELECT 1");
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_THAT(table->rows, SizeIs(10));
  EXPECT_THAT(server.calls("ExecutePlan"), SizeIs(2));  // the command and its rows, each sent once
  const auto attached = server.calls("ReattachExecute");
  ASSERT_THAT(attached, SizeIs(4));
  EXPECT_EQ(attached[0].detail, "a");
  EXPECT_EQ(attached[1].detail, "a");
  EXPECT_EQ(attached[2].detail, "b");
  EXPECT_EQ(attached[3].detail, "c");
  EXPECT_EQ(attached[0].operation_id, server.calls("ExecutePlan")[0].operation_id);
}

TEST(BrokenConnection, WhatNeverArrivedIsSentAgainUnderItsName) {
  RecordingServer server;
  auto session = open(server.connection());
  server.then({{}, broken()});
  server.then({{}, spark_error("INVALID_HANDLE.OPERATION_NOT_FOUND")});
  server.then({{}, spark_error("INVALID_HANDLE.OPERATION_ALREADY_EXISTS")});  // it did arrive, late
  server.then({{complete()}, {}});
  ASSERT_TRUE(session->execute("INSERT INTO t SELECT 1"));
  EXPECT_THAT(methods(server), ElementsAre("AnalyzePlan", "Config", "ExecutePlan", "ReattachExecute", "ExecutePlan",
                                           "ReattachExecute", "ReleaseExecute"));
  const auto sent = server.calls("ExecutePlan");
  EXPECT_EQ(sent[0].operation_id, sent[1].operation_id);
}

TEST(BrokenConnection, AForgottenStatementIsNeverRunAgain) {
  RecordingServer server;
  auto session = open(server.connection());
  server.then({{relation()}, broken()});
  server.then({{}, spark_error("INVALID_HANDLE.OPERATION_NOT_FOUND")});
  const auto done = session->execute("INSERT INTO t SELECT 1");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::unavailable);
  EXPECT_THAT(done.error().message, HasSubstr("not known"));
  EXPECT_FALSE(session->lost());
  EXPECT_THAT(server.calls("ExecutePlan"), SizeIs(1));
}

TEST(BrokenConnection, AVanishedSessionIsLost) {
  RecordingServer server;
  {
    auto session = open(server.connection());
    server.then({{}, broken()});
    server.then({{}, spark_error("INVALID_HANDLE.SESSION_NOT_FOUND")});
    const auto done = session->execute("INSERT INTO t SELECT 1");
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Code::unavailable);
    EXPECT_THAT(done.error().message, AllOf(HasSubstr("ended the session"), HasSubstr("not known")));
    EXPECT_TRUE(session->lost());
    const auto after = session->query("SELECT 1");
    ASSERT_FALSE(after);
    EXPECT_EQ(after.error().code, Code::unavailable);
  }
  EXPECT_THAT(server.calls("ExecutePlan"), SizeIs(1));
  EXPECT_THAT(server.calls("ReleaseSession"), IsEmpty());
}

TEST(BrokenConnection, IsGivenUpInTime) {
  RecordingServer server;
  auto session = Session::open(server.connection(), {.reconnect_within = std::chrono::milliseconds(300)});
  ASSERT_TRUE(session);
  for (int i = 0; i < 50; ++i) server.then({{}, broken()});
  const auto done = (*session)->execute("INSERT INTO t SELECT 1");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::unavailable);
  EXPECT_THAT(done.error().message, HasSubstr("not known"));
}

TEST(Stopping, InterruptsTheStatementOnTheServer) {
  RecordingServer server;
  server.while_running = [&server](grpc::ServerContext& context) {
    while (server.calls("Interrupt").empty() && !context.IsCancelled()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  };
  auto session = open(server.connection());
  Response progress;
  auto* stage = progress.mutable_execution_progress()->add_stages();
  stage->set_num_tasks(8);
  stage->set_num_completed_tasks(3);
  stage->set_input_bytes_read(4096);
  server.then({{progress}, spark_error("OPERATION_CANCELED")});
  std::vector<Progress> seen;
  session->watch([&seen](const Progress& at) {
    seen.push_back(at);
    return at.tasks == 0;
  });
  const auto done = session->execute("SELECT slow()");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::cancelled);
  ASSERT_THAT(server.calls("Interrupt"), SizeIs(1));
  EXPECT_EQ(server.calls("Interrupt")[0].operation_id, server.calls("ExecutePlan")[0].operation_id);
  ASSERT_THAT(seen, Not(IsEmpty()));
  EXPECT_EQ(seen.back().tasks_done, 3);
  EXPECT_EQ(seen.back().bytes_read, 4096);
}

TEST(Stopping, WhileTheServerIsNotReached) {
  RecordingServer server;
  auto session = open(server.connection());
  for (int i = 0; i < 50; ++i) server.then({{}, broken()});
  session->watch([&](const Progress&) { return server.calls("ReattachExecute").size() < 3; });
  const auto done = session->execute("INSERT INTO t SELECT 1");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::cancelled);
  EXPECT_THAT(done.error().message, HasSubstr("not known"));
}

TEST(Stopping, ByInterruptFromAnotherThread) {
  RecordingServer server;
  auto session = open(server.connection());
  server.while_running = [&](grpc::ServerContext& context) {
    session->interrupt();
    while (server.calls("Interrupt").empty() && !context.IsCancelled()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  };
  server.then({{}, spark_error("OPERATION_CANCELED")});
  const auto done = session->execute("SELECT slow()");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::cancelled);
}

TEST(Errors, AreFetchedWholeAndNameTheFile) {
  RecordingServer server;
  auto session = open(server.connection());
  ::spark::connect::FetchErrorDetailsResponse details;
  details.set_root_error_idx(0);
  auto* outer = details.add_errors();
  outer->add_error_type_hierarchy("org.apache.spark.SparkException");
  outer->set_message("Job aborted");
  outer->set_cause_idx(1);
  auto* cause = details.add_errors();
  cause->set_message("[DIVIDE_BY_ZERO] Division by zero.\n== SQL (line 2, position 2) ==");
  cause->mutable_spark_throwable()->set_error_class("DIVIDE_BY_ZERO");
  cause->mutable_spark_throwable()->set_sql_state("22012");
  auto* context = cause->mutable_spark_throwable()->add_query_contexts();
  context->set_start_index(8);
  context->set_stop_index(10);
  context->set_fragment("1/0");
  server.details = details.SerializeAsString();
  server.then({{complete()}, {}});
  server.then({{}, spark_error("SOME_CLASS", "error-1")});
  const auto done = session->execute("SELECT 0;\n\nSELECT\n 1/0", {"queries/q.sql"});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::invalid);
  EXPECT_EQ(done.error().message,
            "queries/q.sql:4: [DIVIDE_BY_ZERO] Division by zero.\n== SQL (line 4, position 2) ==");
  ASSERT_THAT(server.calls("FetchErrorDetails"), SizeIs(1));
  EXPECT_EQ(server.calls("FetchErrorDetails")[0].detail, "error-1");
}

TEST(Queries, AreNoCommandsInDisguise) {
  RecordingServer server;
  auto session = open(server.connection());
  const size_t before = server.calls().size();
  for (const char* sql : {"INSERT INTO t VALUES (1)", "WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a",
                          "DROP TABLE t", "SELECT 1; SELECT 2", "", "-- nothing"}) {
    EXPECT_EQ(session->columns(sql).error().code, Code::invalid) << sql;
    EXPECT_EQ(session->create_view("v", sql).error().code, Code::invalid) << sql;
    EXPECT_EQ(session->start_stream(sql, {}).error().code, Code::invalid) << sql;
  }
  EXPECT_EQ(server.calls().size(), before);
}

TEST(Quoting, IsSafe) {
  EXPECT_EQ(quote_text(R"(it's \ "x")"), R"('it\'s \\ "x"')");
  EXPECT_EQ(quote_text(std::string_view("a\0b", 3)), R"('a\0b')");
  EXPECT_EQ(quote_name("a`b"), "`a``b`");
}

}  // namespace
}  // namespace pinflow::spark
