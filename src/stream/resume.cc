#include "stream/resume.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/logging.h"
#include "lake/table_files.h"

namespace pinflow::stream {
namespace {

// "tables/pin_stream, tables/geo_stream"
std::string folders_of(const Workplace& place) {
  std::string all;
  for (const auto& target : place.targets())
    all += (all.empty() ? "" : ", ") + lake::table_folder(target->record().stream_table);
  return all;
}

std::string how_to_read_anew(const Workplace& place) {
  return fmt::format(
      "to read all that the stream still has from its start, remove {} and all of its tables: {} (dead_stream may "
      "stay). What the stream no longer has is lost with them",
      plan_folder(place.feed), folders_of(place));
}

// Tables that have plans which are not there.
Result<> check_numbers(const Workplace& place, int64_t newest) {
  std::string ahead;
  int64_t highest = 0;
  for (const auto& target : place.targets()) {
    if (target->done() <= newest) continue;
    const auto plan = place.store.stat(plan_name(place.feed, target->done()));
    if (plan) continue;  // made by another worker since we listed them
    if (plan.error().code != Code::not_found) return pass(plan.error(), "looking for plan {}", target->done());
    ahead += (ahead.empty() ? "" : ", ") + target->record().stream_table;
    highest = std::max(highest, target->done());
  }
  if (ahead.empty()) return {};
  return invalid(
      "{}: of {}, plan {} is in a table ({}), but {} is not there: the lake's state was deleted, its tables were not. "
      "Put {} back; or, {}",
      place.store.url(), place.feed, highest, ahead, plan_name(place.feed, highest), plan_folder(place.feed),
      how_to_read_anew(place));
}

Result<> check_table(const Workplace& place, const Plan& newest, const Target& target) {
  const std::string& table = target.record().stream_table;
  const PlannedTable* planned = newest.find(target.record().name);
  if (planned == nullptr || planned->table != table) return {};
  const std::string id = target.table_id();
  if (planned->id && !planned->id->empty() && *planned->id != id) {
    const std::string now = id.empty() ? "is gone" : fmt::format("is another one, {}", id);
    return invalid("{}: the table {} {}; plan {} of {} was made for the table {}. Put that back; or, {}",
                   place.store.url(), table, now, newest.number, place.feed, *planned->id, how_to_read_anew(place));
  }
  // The last plan with records for it that must be done: this one's are, unless it is the unfinished one.
  if (planned->last == 0 || planned->last == newest.number || target.done() >= planned->last) return {};
  return invalid(
      "{}: the table {} lacks plan {} of {}, which was done: the table was deleted, or put back to an older version. "
      "Put it back; or, {}",
      place.store.url(), table, planned->last, place.feed, how_to_read_anew(place));
}

// Nothing of it is committed, so it may be cleaned by the cleaning as it is now.
Result<> clean_anew(Workplace& place, Plan& plan) {
  std::string changed;
  for (PlannedTable& table : plan.tables) {
    const Target* target = place.find(table.record);
    if (target == nullptr || table.records == 0 || table.cleaning == target->cleaning_digest()) continue;
    table.cleaning = target->cleaning_digest();
    changed += (changed.empty() ? "" : ", ") + table.record;
  }
  if (changed.empty() || !place.has_nothing_of(plan)) return {};
  plan.recleaned = true;
  if (auto put = put_recleaned(place.store, plan); !put) return put;
  info(
      "stream: {}: plan {} was begun with another cleaning of {}, and nothing of it is committed: it goes on with the "
      "cleaning as it is now",
      place.name, plan.number, changed);
  return {};
}

}  // namespace

Result<Resume> resume(Workplace& place) {
  Resume found;
  auto numbers = list_plans(place.store, place.feed);
  if (!numbers) return pass(numbers.error());
  found.numbers = std::move(*numbers);
  const int64_t newest = found.numbers.empty() ? 0 : found.numbers.back();
  if (auto fit = check_numbers(place, newest); !fit) return pass(fit.error());
  // Dead letters of plans that were removed keep their number: the same number again would be passed over.
  found.next = 1 + (newest > 0 ? newest : std::max<int64_t>(place.dead().txn_version(), 0));
  if (newest == 0) return found;
  auto plan = read_plan(place.store, place.feed, newest);
  if (!plan) return pass(plan.error());
  if (plan->pipeline != place.pipeline.id) {
    return invalid("{}: plan {} of {} is of the pipeline '{}', not '{}': each pipeline needs a lake of its own",
                   place.store.url(), plan->number, place.feed, plan->pipeline, place.pipeline.id);
  }
  for (const auto& target : place.targets()) {
    if (auto fit = check_table(place, *plan, *target); !fit) return pass(fit.error());
  }
  if (place.has(*plan)) {
    found.last = std::move(*plan);
    return found;
  }
  Plan unfinished = *plan;
  if (auto cleaned = clean_anew(place, unfinished); !cleaned) return pass(cleaned.error());
  found.unfinished = unfinished.recleaned ? std::move(unfinished) : std::move(*plan);
  return found;
}

}  // namespace pinflow::stream
