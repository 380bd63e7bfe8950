// What every store must do, held against each home.
#include "object/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "base/files.h"
#include "object/directory_store.h"
#include "object/memory_store.h"
#include "object/s3_stand_in_test.h"

namespace pinflow::object {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

class StoreTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "pinflow-store-test-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    if (GetParam() == "memory") {
      store_ = std::make_unique<MemoryStore>();
    } else if (GetParam() == "s3") {
      s3_ = std::make_unique<S3StandIn>();
      auto opened = open_s3(s3_->options(folder_ / "spool"), S3StandIn::keys());
      ASSERT_TRUE(opened) << opened.error().message;
      store_ = std::move(*opened);
    } else {
      auto opened = open_directory(folder_ / "lake", GetParam() == "directory");
      ASSERT_TRUE(opened) << opened.error().message;
      store_ = std::move(*opened);
    }
  }
  void TearDown() override {
    store_.reset();
    fs::remove_all(folder_);
  }

  std::vector<std::string> names(std::string_view prefix, std::string_view after = {}) {
    auto found = store_->list(prefix, after);
    EXPECT_TRUE(found) << found.error().message;
    std::vector<std::string> names;
    for (const ObjectInfo& info : *found) names.push_back(info.name);
    return names;
  }
  Code code_of(const auto& result) { return result ? Code::corrupt : result.error().code; }

  fs::path folder_;
  std::unique_ptr<S3StandIn> s3_;
  std::unique_ptr<Store> store_;
};

TEST_P(StoreTest, PutsOnceAndReadsBack) {
  ASSERT_TRUE(store_->put_if_absent("a/b/c.json", "one\n"));
  EXPECT_EQ(store_->get("a/b/c.json").value(), "one\n");
  EXPECT_EQ(code_of(store_->put_if_absent("a/b/c.json", "two\n")), Code::already_exists);
  EXPECT_EQ(store_->get("a/b/c.json").value(), "one\n");
  EXPECT_EQ(store_->stat("a/b/c.json")->size, 4);
  EXPECT_GT(store_->stat("a/b/c.json")->modified_ms, 1'600'000'000'000);
}

TEST_P(StoreTest, PutReplaces) {
  ASSERT_TRUE(store_->put("x/last", "1"));
  ASSERT_TRUE(store_->put("x/last", "22"));
  EXPECT_EQ(store_->get("x/last").value(), "22");
  EXPECT_EQ(code_of(store_->put_if_absent("x/last", "3")), Code::already_exists);
}

TEST_P(StoreTest, TakesEmptyAndBinaryObjects) {
  ASSERT_TRUE(store_->put_if_absent("empty", ""));
  EXPECT_EQ(store_->get("empty").value(), "");
  const std::string bytes("\0\n\xff\r", 4);
  ASSERT_TRUE(store_->put_if_absent("binary", bytes));
  EXPECT_EQ(store_->get("binary").value(), bytes);
}

TEST_P(StoreTest, WhatIsNotThereIsNotFound) {
  ASSERT_TRUE(store_->put_if_absent("a/b", "x"));
  for (const char* name : {"nothing", "a", "a/b/c", "a/c"}) {
    EXPECT_EQ(code_of(store_->get(name)), Code::not_found) << name;
    EXPECT_EQ(code_of(store_->stat(name)), Code::not_found) << name;
    EXPECT_EQ(code_of(store_->fetch(name)), Code::not_found) << name;
  }
  EXPECT_TRUE(store_->remove("nothing/at/all"));
  EXPECT_TRUE(store_->remove("a/b"));
  EXPECT_EQ(code_of(store_->get("a/b")), Code::not_found);
  EXPECT_TRUE(store_->put_if_absent("a/b", "y"));
}

TEST_P(StoreTest, RefusesNamesThatLeadElsewhere) {
  const std::string_view names[] = {"",       "/", "/a",    "a/",      "a//b",   "..",
                                    "a/../b", ".", "a/./b", ".hidden", "a/.b/c", std::string_view("a\0b", 3)};
  for (const std::string_view name : names) {
    EXPECT_EQ(code_of(store_->put_if_absent(name, "x")), Code::invalid) << name;
    EXPECT_EQ(code_of(store_->put(name, "x")), Code::invalid) << name;
    EXPECT_EQ(code_of(store_->get(name)), Code::invalid) << name;
    EXPECT_EQ(code_of(store_->stat(name)), Code::invalid) << name;
    EXPECT_EQ(code_of(store_->remove(name)), Code::invalid) << name;
  }
  EXPECT_TRUE(store_->put_if_absent("a..b/c.+é \"", "x"));
}

TEST_P(StoreTest, ListsInTheOrderOfBytes) {
  for (const char* name :
       {"t/a+0+0000000010.json", "t/a+0+0000000009.json", "t/a.json", "t/a/z", "t/a-b", "t/B", "s", "t2/x"})
    ASSERT_TRUE(store_->put_if_absent(name, "x")) << name;
  EXPECT_THAT(names("t/"),
              ElementsAre("t/B", "t/a+0+0000000009.json", "t/a+0+0000000010.json", "t/a-b", "t/a.json", "t/a/z"));
  EXPECT_THAT(names(""), ElementsAre("s", "t/B", "t/a+0+0000000009.json", "t/a+0+0000000010.json", "t/a-b", "t/a.json",
                                     "t/a/z", "t2/x"));
  EXPECT_THAT(names("t/a+0+"), ElementsAre("t/a+0+0000000009.json", "t/a+0+0000000010.json"));
  EXPECT_THAT(names("t"), ElementsAre("t/B", "t/a+0+0000000009.json", "t/a+0+0000000010.json", "t/a-b", "t/a.json",
                                      "t/a/z", "t2/x"));
  EXPECT_THAT(names("t/", "t/a+0+0000000009.json"), ElementsAre("t/a+0+0000000010.json", "t/a-b", "t/a.json", "t/a/z"));
  EXPECT_THAT(names("t/", "t/a/"), ElementsAre("t/a/z"));
  EXPECT_THAT(names("", "t/a/z"), ElementsAre("t2/x"));
  EXPECT_THAT(names("nowhere/"), IsEmpty());
}

TEST_P(StoreTest, TakesFinishedFiles) {
  const fs::path finished = store_->staging() / "finished";
  std::ofstream(finished) << "content";
  ASSERT_TRUE(store_->put_file_if_absent("f/1", finished));
  EXPECT_FALSE(fs::exists(finished));
  EXPECT_EQ(store_->get("f/1").value(), "content");
  std::ofstream(finished) << "other";
  EXPECT_EQ(code_of(store_->put_file_if_absent("f/1", finished)), Code::already_exists);
  EXPECT_FALSE(fs::exists(finished));
  EXPECT_EQ(store_->get("f/1").value(), "content");
  std::ofstream(folder_ / "elsewhere") << "from elsewhere";
  ASSERT_TRUE(store_->put_file_if_absent("f/2", folder_ / "elsewhere"));
  EXPECT_EQ(store_->get("f/2").value(), "from elsewhere");
}

TEST_P(StoreTest, FetchGivesALocalFile) {
  ASSERT_TRUE(store_->put_if_absent("a", "bytes"));
  auto file = store_->fetch("a");
  ASSERT_TRUE(file);
  EXPECT_EQ(read_file(file->path()).value(), "bytes");
}

TEST_P(StoreTest, PutsManyInOrderUpToTheFirstThatFails) {
  std::vector<std::string> names_of_objects;
  for (int i = 0; i < 300; ++i) names_of_objects.push_back((i % 2 ? "m/" : "n/") + std::to_string(i));
  std::vector<NewObject> objects;
  for (const std::string& name : names_of_objects) objects.push_back({name, name});
  ASSERT_TRUE(store_->put_if_absent("m/201", "before"));
  const auto first = store_->put_all_if_absent(objects);
  EXPECT_EQ(first.count, 201u);
  EXPECT_EQ(code_of(first.rest), Code::already_exists);
  EXPECT_EQ(names("").size(), 202u);
  objects.erase(objects.begin(), objects.begin() + 202);
  objects.push_back({"m/..", "x"});
  objects.push_back({"z", "x"});
  const auto second = store_->put_all_if_absent(objects);
  EXPECT_EQ(second.count, 98u);
  EXPECT_EQ(code_of(second.rest), Code::invalid);
  EXPECT_EQ(names("").size(), 300u);
  for (const std::string& name : names_of_objects)
    EXPECT_EQ(store_->get(name).value(), name == "m/201" ? "before" : name);
  EXPECT_TRUE(store_->put_all_if_absent({}).rest);
}

TEST_P(StoreTest, OfSeveralAtOnceOneWins) {
  std::atomic<int> wins{0};
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread)
      threads.emplace_back([&, thread] {
        for (int i = 0; i < 25; ++i) {
          const std::string mine = std::to_string(thread) + ":" + std::to_string(i);
          auto put = store_->put_if_absent("race/" + std::to_string(i) + "/object", mine);
          if (put) {
            ++wins;
            EXPECT_EQ(store_->get("race/" + std::to_string(i) + "/object").value(), mine);
          } else {
            EXPECT_EQ(put.error().code, Code::already_exists);
          }
        }
      });
  }
  EXPECT_EQ(wins, 25);
}

INSTANTIATE_TEST_SUITE_P(Homes, StoreTest,
                         testing::Values("directory", "directory_without_unnamed_files", "memory", "s3"),
                         [](const auto& info) { return info.param; });

TEST(MemoryStore, InjectsFaults) {
  MemoryStore store;
  store.fail_nth("put_if_absent", 2, {{Code::full, "no room"}});
  EXPECT_TRUE(store.put_if_absent("1", ""));
  EXPECT_EQ(store.put_if_absent("2", "").error().code, Code::full);
  EXPECT_FALSE(store.get("2"));
  EXPECT_TRUE(store.put_if_absent("2", ""));
  store.fail_nth("put_if_absent", 1, {.error = {Code::unavailable, "no answer"}, .after_work = true});
  EXPECT_EQ(store.put_if_absent("3", "x").error().code, Code::unavailable);
  EXPECT_EQ(store.get("3").value(), "x");
  EXPECT_EQ(store.put_if_absent("3", "x").error().code, Code::already_exists);
  EXPECT_EQ(store.calls(), 7);
}

}  // namespace
}  // namespace pinflow::object
