// A plan is what one micro-batch takes: an immutable file, put before any commit, so that whoever carries it out,
// whenever, commits the same rows.
//
//   state/plans/stream/<feed>/0000000042.json
//   {"plan":42,"pipeline":"pinterest","feed":"streaming-local-pin","place":"arn:…","id":"1763683200000",
//    "date":"2026-11-21","made":"2026-11-21T07:35:00.123Z","made_ms":…,"unrouted":0,
//    "tables":[{"record":"pin","table":"pin_stream","cleaning":"<SHA-256>","records":812,"last":42,"id":"<UUID>"}],
//    "shards":[{"shard":"shardId-000000000000","from":"495…","to":"496…","records":812,"ended":false,
//               "complete_ms":…}]}
//
// A range is (from, to] of a shard's positions; an empty `from` is the shard's oldest record. Shards with nothing new
// stand there too, so that the next plan needs only this one. A table is committed to where the plan has records for
// it; a plan without any for a table, whose records all are of no record type, is done when its dead letters are.
//
// Plan N + 1 is made when plan N is done, so only the highest can be unfinished, and lower ones are kept only to be
// looked at (kKeptPlans). They are removed from the lowest up, but the first one stays. Who was stopped for long might
// put a plan under a number that was used and removed: so whoever has put plan N looks whether N - 1 is still there,
// and throws N away where it is not.
//
// Two plans are of their own kind. One that takes no records and has "anew" puts the stream as it was then, and where
// to begin with it, behind plans of a stream that can no longer be read (--anew); the plan before it may be unfinished,
// and is given up. And one with "recleaned" was put with another cleaning: nothing of it was committed when that was
// changed, so its cleaning (never its ranges) was put over it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "object/store.h"
#include "stream/feed.h"

namespace pinflow::stream {

struct PlannedTable {
  std::string record;  // the record type's name
  std::string table;
  std::string cleaning;  // lake::digest_of when the plan was made
  int64_t records = 0;   // of this plan
  int64_t last = 0;      // the last plan, up to this one, that had records for the table; 0: none
  // Of the Delta table (metaData.id) when the plan was made; empty: there was none. Older plans do not say.
  std::optional<std::string> id = std::nullopt;
  bool operator==(const PlannedTable&) const = default;
};

struct PlannedShard {
  std::string shard;
  std::string from, to;
  int64_t records = 0;
  bool ended = false;  // the shard ends behind `to`, and its children may start when this plan is done
  int64_t complete_ms = 0;
  bool operator==(const PlannedShard&) const = default;
};

struct Plan {
  int64_t number = 0;
  std::string pipeline;
  std::string feed;  // Feed::key
  Identity identity;
  std::string date;  // what $date stands for in the cleanings
  int64_t made_ms = 0;
  int64_t unrouted = 0;  // records of no record type
  bool first = false;    // no plan was before it
  bool anew = false;
  bool recleaned = false;
  std::vector<PlannedTable> tables;
  std::vector<PlannedShard> shards;
  bool operator==(const Plan&) const = default;

  int64_t records() const;
  const PlannedTable* find(std::string_view record) const;
  // Where reading goes on behind it.
  std::map<std::string, Progress> progress() const;
};

std::string write_plan(const Plan& plan);
Result<Plan> parse_plan(std::string_view json, std::string_view source);  // corrupt

std::string plan_folder(std::string_view feed);  // "state/plans/stream/streaming-local-pin/"
std::string plan_name(std::string_view feed, int64_t number);

// Ascending. corrupt where something else lies in the folder.
Result<std::vector<int64_t>> list_plans(object::Store& store, std::string_view feed);
Result<Plan> read_plan(object::Store& store, std::string_view feed, int64_t number);  // not_found

// Puts the plan. first: nothing is looked for before it. conflict: another plan of this number is there, or its number
// was used before: another worker is at work. A lost answer is found out by reading it back.
Result<> put_plan(object::Store& store, const Plan& plan);

// Puts another cleaning over a plan of which nothing is committed.
Result<> put_recleaned(object::Store& store, const Plan& plan);

// Plans that are kept behind the newest one.
inline constexpr int64_t kKeptPlans = 50;

// Removes older ones, from the lowest up, so that where one is, all between it and the newest are. The first stays for
// ever: put_plan has nothing to look for before it. `there`: numbers that may be there, ascending. The lowest that is
// kept, but for the first.
int64_t remove_old_plans(object::Store& store, std::string_view feed, int64_t first, const std::vector<int64_t>& there);

}  // namespace pinflow::stream
