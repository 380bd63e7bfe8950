#include "stream/plan_run.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/json.h"
#include "base/logging.h"
#include "lake/commit_counts.h"
#include "lake/table_files.h"

namespace pinflow::stream {
namespace {

// A micro-batch that takes longer may have been away past its lease.
constexpr std::chrono::milliseconds kAway{500};

}  // namespace

Workplace::Workplace(const pipeline::Pipeline& of, object::Store& in, Engine& with, const Routes& by,
                     std::string feed_key, std::string feed_name)
    : pipeline(of), store(in), engine(with), routes(by), feed(std::move(feed_key)), name(std::move(feed_name)) {}

Result<std::unique_ptr<Workplace>> Workplace::open(const pipeline::Pipeline& pipeline, object::Store& store,
                                                   Engine& engine, const Routes& routes, const std::string& feed,
                                                   const std::string& name) {
  std::unique_ptr<Workplace> place(new Workplace(pipeline, store, engine, routes, feed, name));
  for (const pipeline::RecordType* record : routes.records()) {
    auto target = Target::open(store, pipeline, *record, feed);
    if (!target) return pass(target.error());
    place->targets_.push_back(std::move(*target));
  }
  delta::WriterOptions options;
  options.table = lake::table_folder(lake::kDeadStreamTable);
  options.columns = lake::dead_stream_columns();
  options.app_id = app_id(pipeline.id, feed, lake::kDeadStreamTable);
  auto dead = delta::TableWriter::open(store, std::move(options));
  if (!dead) return pass(dead.error());
  place->dead_ = std::move(*dead);
  return place;
}

Target* Workplace::find(std::string_view record) {
  for (const auto& target : targets_) {
    if (target->record().name == record) return target.get();
  }
  return nullptr;
}

bool Workplace::has(const Plan& plan) {
  int64_t routed = 0;
  for (const PlannedTable& table : plan.tables) {
    routed += table.records;
    Target* target = find(table.record);
    if (table.records == 0 || target == nullptr || target->record().stream_table != table.table) continue;
    if (target->done() < plan.number) return false;
  }
  return routed > 0 || plan.unrouted == 0 || dead_->txn_version() >= plan.number;
}

bool Workplace::has_nothing_of(const Plan& plan) {
  const auto has = [&](const auto& target) { return target->done() >= plan.number; };
  return dead_->txn_version() < plan.number && std::ranges::none_of(targets_, has);
}

Result<sql::Connection*> Workplace::sql() {
  if (!sql_) {
    auto connection = engine.connect();
    if (!connection) return pass(connection.error());
    sql_.emplace(std::move(*connection));
  }
  return &*sql_;
}

Result<PlanCounts> PlanRun::run() {
  for (size_t type = 0; type < place_.routes.records().size(); ++type) {
    if (auto cleaned = clean(type); !cleaned) {
      (void)put_.wait();
      return pass(cleaned.error(), "plan {} of {}", plan_.number, place_.feed);
    }
  }
  put_.begin();
  if (!had_dead_) dead_.add_unrouted();
  // Rows and dead letters are written while the plan is being put; only commits wait for it.
  Result<> written;
  for (Part& part : parts_) {
    auto rows = part.target->write(place_.engine, **place_.sql(), part.cleaned);
    if (!rows) {
      written = pass(rows.error(), "plan {} of {}", plan_.number, place_.feed);
      break;
    }
    part.rows = std::move(*rows);
  }
  auto put = put_.wait();
  if (!written || !put) {
    for (const Part& part : parts_) discard(part.target->record().stream_table, part.rows.files);
    return pass(put ? written.error() : put.error());
  }
  if (auto committed = commit_dead(); !committed) return pass(committed.error());
  for (Part& part : parts_) {
    if (auto committed = commit(part); !committed) return pass(committed.error());
    if (auto forgotten = part.target->forget(place_.engine, **place_.sql()); !forgotten) return pass(forgotten.error());
    counts_.records.push_back(part.report);
  }
  return std::move(counts_);
}

Result<> PlanRun::clean(size_t type) {
  const pipeline::RecordType& record = *place_.routes.records()[type];
  const PlannedTable* planned = plan_.find(record.name);
  Target& target = *place_.targets()[type];
  if (planned == nullptr || planned->records == 0 || planned->table != record.stream_table) return {};
  if (target.done() >= plan_.number) return {};
  // Dead letters and rows must be of one cleaning, or a record could be in both or in neither.
  if (planned->cleaning != target.cleaning_digest()) {
    return fail(Code::invalid,
                "it was begun with another cleaning of '{}', and a part of it is committed. Put {} (or the type's "
                "fields, columns or prelude) back as it was, let the worker finish (pinflow stream --until-caught-up), "
                "then change it",
                record.name, record.cleaning.file.string());
  }
  auto sql = place_.sql();
  if (!sql) return pass(sql.error());
  Part part{.target = &target, .planned = planned};
  part.source = std::make_shared<BatchSource>(batch_, type, record.fields);
  auto cleaned = target.clean(place_.engine, **sql, part.source, plan_.date);
  if (!cleaned) return pass(cleaned.error());
  part.cleaned = std::move(*cleaned);
  part.report.record = record.name;
  part.report.table = record.stream_table;
  part.report.raw = part.cleaned.raw;
  part.report.dead = part.cleaned.dead;
  part.report.noted = part.cleaned.noted;
  if (auto added = dead_.add(**sql, record.stream_table, part.cleaned); !added) return added;
  parts_.push_back(std::move(part));
  return {};
}

Result<> PlanRun::commit_dead() {
  // Where the cleaning was changed, a commit without letters keeps out those of the cleaning before.
  if (had_dead_ || (dead_.empty() && !plan_.recleaned)) return {};
  std::vector<delta::DataFile> files;
  if (!dead_.empty()) {
    auto sql = place_.sql();
    if (!sql) return pass(sql.error());
    auto file = dead_.write(place_.store, place_.engine, **sql);
    if (!file) return pass(file.error());
    files.push_back(std::move(*file));
  }
  JsonWriter json;
  json.begin_object().key("pinflow").begin_object().key("plan").number(plan_.number);
  json.key("feed").string(place_.feed).key("letters").number(static_cast<int64_t>(dead_.size()));
  json.end_object().end_object();
  const auto done = place_.dead().append({plan_.number, files, json.take()});
  if (!done) {
    if (done.error().code != Code::unavailable) discard(lake::kDeadStreamTable, files);
    return pass(done.error(), "committing the dead letters of plan {} of {}", plan_.number, place_.feed);
  }
  if (done->kind == delta::Committed::Kind::already_done) {  // by another cleaning, perhaps
    discard(lake::kDeadStreamTable, files);
    return fail(Code::conflict, "the dead letters of plan {} of {} were committed by another worker", plan_.number,
                place_.feed);
  }
  counts_.unrouted = static_cast<int64_t>(batch_.unrouted().size());
  count(files);
  return {};
}

Result<> PlanRun::commit(Part& part) {
  const pipeline::RecordType& record = part.target->record();
  part.report.clean = part.rows.clean;
  part.report.duplicates = part.rows.duplicates;
  if (auto here = look_whether_away(); !here) {
    discard(record.stream_table, part.rows.files);
    return here;
  }
  auto done = part.target->commit(
      plan_.number, part.rows.files,
      lake::write_counts({plan_.number, plan_.date, {{part.report, part.target->cleaning_digest()}}}));
  if (!done) {
    if (done.error().code != Code::unavailable) discard(record.stream_table, part.rows.files);
    return pass(done.error(), "committing plan {} of {} to the table {}", plan_.number, place_.feed,
                record.stream_table);
  }
  if (done->kind == delta::Committed::Kind::already_done) {
    // By another worker, which looked for repeats among other rows, perhaps: what we know of the table is not true.
    discard(record.stream_table, part.rows.files);
    return fail(Code::conflict, "plan {} of {} was committed to the table {} by another worker", plan_.number,
                place_.feed, record.stream_table);
  }
  count(part.rows.files);
  return {};
}

// Without dead letters nothing tells that another worker took the plan over, and cleaned it by another cleaning, while
// this one was stopped, but that one's dead letters.
Result<> PlanRun::look_whether_away() {
  const bool told = had_dead_ || place_.dead().txn_version() >= plan_.number;
  if (told || std::chrono::steady_clock::now() - begun_ < kAway) return {};
  if (auto read = place_.dead().refresh(); !read) return read;
  if (place_.dead().txn_version() < plan_.number) return {};
  return fail(Code::conflict, "plan {} of {} was taken over by another worker", plan_.number, place_.feed);
}

void PlanRun::count(const std::vector<delta::DataFile>& files) {
  ++counts_.commits;
  for (const delta::DataFile& file : files) {
    ++counts_.files;
    counts_.bytes += file.size;
  }
}

void PlanRun::discard(const std::string& table, const std::vector<delta::DataFile>& files) {
  for (const delta::DataFile& file : files) {
    if (auto gone = place_.store.remove(lake::table_folder(table) + "/" + file.path); !gone)
      debug("stream: {}", gone.error().message);
  }
}

}  // namespace pinflow::stream
