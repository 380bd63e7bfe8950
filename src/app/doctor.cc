#include "app/doctor.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <vector>

#include "app/context.h"
#include "app/counts.h"
#include "app/doctor_services.h"
#include "app/findings.h"
#include "app/kinesis_endpoint.h"
#include "app/lake_store.h"
#include "app/services.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/json.h"
#include "lake/tables.h"
#include "portable/check.h"
#include "source/load.h"
#include "spark/connection.h"

namespace pinflow::app {
namespace {

class Doctor {
 public:
  Doctor(const Options& options, std::function<void(const Finding&)> told)
      : options_(options), findings_(std::move(told)) {}

  const Findings& examine() {
    auto context = load_context(options_);
    if (!context) {
      bad("pipeline", context.error().message);
      return findings_;
    }
    well("pipeline", fmt::format("{}: {} record types, {} queries, profile {}", context->pipeline.id,
                                 context->pipeline.records.size(), context->pipeline.queries.size(), options_.profile));
    portable(*context);
    source(*context);
    folder(*context);
    address(*context, "gateway");
    keys(*context);
    if (names_a_cluster(*context)) examine_kafka(*context, findings_);
    else address(*context, "broker");
    if (names_a_kinesis(*context)) examine_kinesis(*context, findings_);
    else address(*context, "streams");
    lake(*context);
    return findings_;
  }

 private:
  void well(std::string check, std::string detail) { findings_.well(std::move(check), std::move(detail)); }
  void bad(std::string check, std::string detail) { findings_.bad(std::move(check), std::move(detail)); }

  // SQL that Spark reads otherwise hurts only those who use Spark.
  void portable(const Context& context) {
    const size_t places = portable::check(context.pipeline).size();
    if (places == 0) return;
    const auto engine = context.pipeline.settings.find("engine");
    const std::string& chosen = !context.options.engine.empty() || engine == context.pipeline.settings.end()
                                    ? context.options.engine
                                    : engine->second;
    std::string detail = fmt::format("{} place{} of the SQL mean{} something else on Spark: `pinflow check` says which",
                                     places, places == 1 ? "" : "s", places == 1 ? "s" : "");
    if (spark::is_connection(chosen)) bad("sql", std::move(detail));
    else well("sql", std::move(detail));
  }

  void source(const Context& context) {
    auto choice = source_of(context);
    if (!choice) return bad("source", choice.error().message);
    if (!choice->chosen && !std::filesystem::exists(choice->url.file)) {
      return well("source", fmt::format("none yet: `run` will make {}", choice->url.file.string()));
    }
    auto counts = source::count_rows(choice->url, context.pipeline);
    if (!counts) return bad("source", counts.error().message);
    std::string detail = choice->url.redacted() + ":";
    for (const source::TableCount& table : *counts) detail += fmt::format(" {} {}", table.table, grouped(table.rows));
    well("source", detail);
  }

  void folder(const Context& context) {
    const std::filesystem::path& data = context.options.data;
    if (auto made = make_folders(data); !made) return bad("data", made.error().message);
    const std::filesystem::path probe = data / ".doctor";
    if (auto written = replace_file(probe, "can be written"); !written) return bad("data", written.error().message);
    std::filesystem::remove(probe);
    struct statvfs space {};
    ::statvfs(data.c_str(), &space);
    const double free_gib = static_cast<double>(space.f_bavail) * static_cast<double>(space.f_frsize) / (1 << 30);
    const std::string detail = fmt::format("{} can be written, {:.1f} GiB free", data.string(), free_gib);
    free_gib < 1 ? bad("data", detail + "; free some room, or choose another folder by --data") : well("data", detail);
  }

  // Whether the part's address could be listened on now.
  void address(const Context& context, const std::string& part) {
    auto listen = listen_address(context, part, false);
    if (!listen) return bad(part, listen.error().message);
    const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int reuse = 1;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(listen->port);
    if (::inet_pton(AF_INET, listen->host == "localhost" ? "127.0.0.1" : listen->host.c_str(), &at.sin_addr) != 1) {
      return bad(part, fmt::format("{} is not an IPv4 address", listen->host));
    }
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) {
      return bad(
          part,
          fmt::format("{} cannot be listened on ({}); stop what uses it, or choose another by --listen {}=HOST:PORT",
                      listen->text(), std::generic_category().message(errno), part));
    }
    well(part, listen->text() + " is free");
  }

  // Before the services that are asked with them.
  void keys(const Context& context) {
    const auto store = open_lake(context, true);
    const bool in_s3 = store && (*store)->url().starts_with("s3://");
    if (in_s3 || names_a_kinesis(context) || msk_of(context)) examine_keys(context, in_s3, findings_);
  }

  void lake(const Context& context) {
    auto store = open_lake(context, true);
    if (!store) return bad("lake", store.error().message);
    auto tables = lake::list_tables(**store);
    if (!tables) return findings_.bad("lake", tables.error(), "--lake, s3.endpoint");
    if (auto tried = try_to_write(**store); !tried) return bad("lake", tried.error().message);
    std::string detail = (*store)->url() + ":";
    for (const lake::TableInfo& table : *tables) detail += fmt::format(" {} {}", table.name, grouped(table.records));
    well("lake", tables->empty() ? (*store)->url() + ": can be written, no tables yet" : detail);
    examine_engine(context, **store, findings_);
  }

  // Puts an object, reads it and takes it away: what every command on a lake must be allowed.
  static Result<> try_to_write(object::Store& store) {
    const std::string name = fmt::format("state/doctor/{}-{}", now_ms(), ::getpid());
    const std::string text = "pinflow doctor was here; this may be removed\n";
    if (auto put = store.put_if_absent(name, text); !put) return pass(put.error(), "{} cannot be written", store.url());
    auto read = store.get(name);
    auto removed = store.remove(name);
    if (!read) return pass(read.error(), "{} cannot be read", store.url());
    if (*read != text) return corrupt("{}: {} reads otherwise than it was written", store.url(), name);
    if (!removed) return pass(removed.error(), "{} can be written, but nothing be removed from it", store.url());
    return {};
  }

  const Options& options_;
  Findings findings_;
};

// As soon as it is known: the next service may let one wait.
void print(const Finding& finding) {
  fmt::print("{:<5} {:<9} {}\n", finding.well ? "ok" : "MEND", finding.check, finding.detail);
  std::fflush(stdout);
}

std::string as_json(const std::vector<Finding>& findings) {
  JsonWriter json;
  json.begin_array();
  for (const Finding& finding : findings) {
    json.begin_object().key("check").string(finding.check).key("ok").boolean(finding.well);
    json.key("detail").string(finding.detail).end_object();
  }
  json.end_array();
  return json.take();
}

}  // namespace

Result<int> doctor(const Options& options) {
  const bool json = options.format == Format::json;
  Doctor doctor(options, json ? std::function<void(const Finding&)>() : print);
  const Findings& findings = doctor.examine();
  if (json) fmt::print("{}\n", as_json(findings.all()));
  return findings.all_well() ? 0 : 1;
}

}  // namespace pinflow::app
