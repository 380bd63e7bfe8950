#include "app/doctor.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <vector>

#include "app/context.h"
#include "app/counts.h"
#include "app/lake_store.h"
#include "app/services.h"
#include "aws/default_credentials.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/json.h"
#include "lake/tables.h"
#include "source/load.h"

namespace pinflow::app {
namespace {

struct Finding {
  std::string check;
  bool well = true;
  std::string detail;
};

class Doctor {
 public:
  explicit Doctor(const Options& options) : options_(options) {}

  std::vector<Finding> examine() {
    auto context = load_context(options_);
    if (!context) {
      bad("pipeline", context.error().message);
      return findings_;
    }
    well("pipeline", fmt::format("{}: {} record types, {} queries", context->pipeline.id,
                                 context->pipeline.records.size(), context->pipeline.queries.size()));
    source(*context);
    folder(*context);
    if (!names_a_cluster(*context)) {
      address(*context, "broker");
    } else {
      cluster(*context);
    }
    address(*context, "gateway");
    lake(*context);
    return findings_;
  }

 private:
  void well(std::string check, std::string detail) { findings_.push_back({std::move(check), true, std::move(detail)}); }
  void bad(std::string check, std::string detail) { findings_.push_back({std::move(check), false, std::move(detail)}); }

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

  void cluster(const Context& context) {
    auto config = kafka_config(context, "");
    if (!config) return bad("kafka", config.error().message);
    auto admin = kafka::Admin::open(*config);
    if (!admin) return bad("kafka", admin.error().message);
    auto topics = (*admin)->list_topics();
    if (!topics) return bad("kafka", topics.error().message);
    auto id = (*admin)->cluster_id();
    well("kafka",
         fmt::format("{}: cluster {}, {} topics", config->bootstrap_servers, id ? *id : "unknown", topics->size()));
    for (const pipeline::RecordType& record : context.pipeline.records) {
      if (std::find(topics->begin(), topics->end(), record.topic) == topics->end()) {
        well("topic", fmt::format("{} is not there yet; `run` and `pinflow topics create` make it", record.topic));
      }
    }
  }

  void lake(const Context& context) {
    auto store = open_lake(context);
    if (!store) return bad("lake", store.error().message);
    if ((*store)->url().starts_with("s3://")) keys();
    auto tables = lake::list_tables(**store);
    if (!tables) return bad("lake", tables.error().message);
    if (auto tried = try_to_write(**store); !tried) return bad("lake", tried.error().message);
    std::string detail = (*store)->url() + ":";
    for (const lake::TableInfo& table : *tables) detail += fmt::format(" {} {}", table.name, grouped(table.records));
    well("lake", tables->empty() ? (*store)->url() + ": no tables yet" : detail);
  }

  // Who this is to AWS. (The keys' own right to ask that, sts:GetCallerIdentity, is in no policy that is asked for.)
  void keys() {
    const auto provider = aws::default_credentials();
    const auto credentials = provider->get();
    if (!credentials) return bad("keys", credentials.error().message);
    well("keys", fmt::format("{} of {}", credentials->access_key_id, provider->from()));
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
  std::vector<Finding> findings_;
};

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
  const std::vector<Finding> findings = Doctor(options).examine();
  bool all_well = true;
  for (const Finding& finding : findings) all_well = all_well && finding.well;
  if (options.format == Format::json) {
    fmt::print("{}\n", as_json(findings));
    return all_well ? 0 : 1;
  }
  for (const Finding& finding : findings) {
    fmt::print("{:<5} {:<9} {}\n", finding.well ? "ok" : "MEND", finding.check, finding.detail);
  }
  return all_well ? 0 : 1;
}

}  // namespace pinflow::app
