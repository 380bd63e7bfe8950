// Loading, reading, counting and generating through an SQLite file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/clock.h"
#include "base/files.h"
#include "source/database.h"
#include "source/generate.h"
#include "source/generator.h"
#include "source/load.h"
#include "source/reader.h"
#include "source/test_folder.h"

namespace pinflow::source {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class Source : public ::testing::Test {
 protected:
  // The tiny pipeline's tables from these lines.
  Result<std::vector<Loaded>> load(const std::string& readings, const std::string& stations) {
    folder_.write("readings.jsonl", readings);
    folder_.write("stations.jsonl", stations);
    return load_folder(url_, tiny_, folder_.path());
  }
  std::string load_error(const std::string& readings) {
    const auto loaded = load(readings, "");
    return loaded ? "no error" : loaded.error().message;
  }

  TestFolder folder_;
  SourceUrl url_ = sqlite_url(folder_ / "source.db");
  pipeline::Pipeline tiny_ = tiny_pipeline();
};

TEST_F(Source, RowsComeBackAsTheyWereLoaded) {
  const std::string reading =
      R"({"number":7,"station":-2,"taken":"2024-02-29 12:00:00","celsius":-0.5,"remark":"a \"quote\", | \u0000 é 👩‍🎨 𝔫\n"})";
  const std::string station = R"({"number":7,"station":3,"name":"","height":-89.9787})";
  const auto loaded = load(reading + "\n\n", station + "\r\n");
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ((*loaded)[0].table, "readings");
  EXPECT_EQ((*loaded)[0].read, 1);
  EXPECT_EQ((*loaded)[0].added, 1);
  auto reader = PostReader::open(url_, tiny_);
  ASSERT_TRUE(reader) << reader.error().message;
  EXPECT_EQ(*(*reader)->count(), 1);
  const auto post = (*reader)->post(0);
  ASSERT_TRUE(post) << post.error().message;
  EXPECT_EQ((*post)[0], reading);
  EXPECT_EQ((*post)[1], station);
  EXPECT_FALSE((*reader)->post(1));
  EXPECT_FALSE((*reader)->post(-1));
}

TEST_F(Source, TablesAreJoinedByKeyNotByPosition) {
  ASSERT_TRUE(load("{\"number\":30,\"remark\":\"r30\"}\n{\"number\":10}\n{\"number\":20}\n",
                   "{\"number\":20,\"name\":\"s20\"}\n{\"number\":15}\n"));
  auto reader = PostReader::open(url_, tiny_);
  ASSERT_TRUE(reader);
  EXPECT_EQ(*(*reader)->count(), 4);
  EXPECT_EQ((*reader)->post(0)->at(1), "");
  EXPECT_EQ((*reader)->post(1)->at(0), "");
  EXPECT_THAT((*reader)->post(1)->at(1), HasSubstr("\"number\":15"));
  EXPECT_THAT((*reader)->post(2)->at(0), HasSubstr("\"number\":20"));
  EXPECT_THAT((*reader)->post(2)->at(1), HasSubstr("s20"));
  EXPECT_EQ((*reader)->post(3)->at(0), R"({"number":30,"station":null,"taken":null,"celsius":null,"remark":"r30"})");
}

TEST_F(Source, LoadingAgainReplacesRowsByTheirKey) {
  ASSERT_TRUE(load("{\"number\":1,\"remark\":\"old\"}\n{\"number\":2}\n", ""));
  const auto again = load("{\"number\":1,\"remark\":\"mid\"}\n{\"number\":3}\n{\"number\":1,\"remark\":\"new\"}\n", "");
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ((*again)[0].read, 3);
  EXPECT_EQ((*again)[0].added, 1);
  EXPECT_EQ((*again)[0].replaced, 2);
  EXPECT_EQ((*again)[0].rows, 3);
  auto reader = PostReader::open(url_, tiny_);
  EXPECT_THAT((*reader)->post(0)->at(0), HasSubstr("new"));
  const auto counts = count_rows(url_, tiny_);
  ASSERT_TRUE(counts);
  EXPECT_EQ((*counts)[0].rows, 3);
  EXPECT_EQ((*counts)[1].rows, 0);
}

TEST_F(Source, ABadLineIsNamedAndNothingIsLoaded) {
  EXPECT_THAT(load_error("{\"number\":1}\n{\"number\":\n"), HasSubstr("readings.jsonl:2: not JSON"));
  EXPECT_THAT(load_error("[1]\n"), HasSubstr("readings.jsonl:1: not a JSON object"));
  EXPECT_THAT(load_error("{\"number\":1} {}\n"), HasSubstr("readings.jsonl:1: not JSON"));
  EXPECT_THAT(load_error("{\"station\":1}\n"), HasSubstr("lacks the key 'number'"));
  EXPECT_THAT(load_error("{\"number\":1,\"remarc\":\"\"}\n"),
              HasSubstr("has no column 'remarc'; did you mean 'remark'?"));
  EXPECT_THAT(load_error("{\"number\":1,\"number\":2}\n"), HasSubstr("the column 'number' is given twice"));
  EXPECT_THAT(load_error("{\"number\":1,\"station\":2147483648}\n"),
              HasSubstr("the column 'station': 2147483648 does not fit in 32 bits"));
  EXPECT_THAT(load_error("{\"number\":1,\"taken\":\"today\"}\n"),
              HasSubstr("the column 'taken': \"today\" is no datetime"));
  EXPECT_THAT(load_error("{\"number\":1,\"remark\":true}\n"), HasSubstr("the column 'remark'"));
  EXPECT_THAT(load_error("{\"number\":18446744073709551615}\n"), HasSubstr("the column 'number'"));
  EXPECT_THAT(load_error("{\"number\":1,\"remark\":\"\\ud800\"}\n"), HasSubstr("not JSON"));
  EXPECT_THAT(load_error("{\"number\":1,\"remark\":\"\xff\"}\n"), HasSubstr("not JSON"));
  EXPECT_EQ(count_rows(url_, tiny_)->at(0).rows, 0);
  std::filesystem::remove(folder_ / "stations.jsonl");
  const auto missing = load_folder(url_, tiny_, folder_.path());
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr("stations.jsonl: there is no such file"));
}

TEST_F(Source, WhatIsNotThereIsNamed) {
  const auto no_file = PostReader::open(url_, tiny_);
  ASSERT_FALSE(no_file);
  EXPECT_EQ(no_file.error().code, Code::not_found);
  EXPECT_THAT(no_file.error().message, AllOf(HasSubstr("source.db"), HasSubstr("pinflow source generate")));
  ASSERT_TRUE(load("", ""));
  const auto no_table = PostReader::open(url_, posts_pipeline());
  ASSERT_FALSE(no_table);
  EXPECT_THAT(no_table.error().message, HasSubstr("there is no table 'pinterest_data'"));
  folder_.write("other.db", "this is no database, but long enough to look at: " + std::string(2000, 'x'));
  const auto no_database = PostReader::open(sqlite_url(folder_ / "other.db"), tiny_);
  ASSERT_FALSE(no_database);
  EXPECT_EQ(no_database.error().code, Code::corrupt);
}

TEST_F(Source, GeneratedPostsReadBackAsTheGeneratorMakesThem) {
  ASSERT_TRUE(generate(url_, tiny_, {.posts = 3000, .seed = 5}));
  auto generator = Generator::load(tiny_.generator, tiny_, 5);
  ASSERT_TRUE(generator) << generator.error().message;
  auto reader = PostReader::open(url_, tiny_);
  ASSERT_TRUE(reader);
  ASSERT_EQ(*(*reader)->count(), 3000);
  std::vector<std::string> made;
  for (int64_t n = 0; n < 3000; ++n) {
    generator->post(n, made);
    ASSERT_EQ(*(*reader)->post(n), made) << n;
  }
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path()), {}), 1);  // nothing is left beside it
}

TEST_F(Source, WhatAKilledGenerationLeftIsRemoved) {
  const auto left = folder_.write("source.db.partial-2147483647", "no process has this number");
  const auto alive = folder_.write("source.db.partial-1", "this one runs");
  ASSERT_TRUE(generate(url_, tiny_, {.posts = 1}));
  EXPECT_FALSE(std::filesystem::exists(left));
  EXPECT_TRUE(std::filesystem::exists(alive));
}

TEST_F(Source, TablesWithRowsAreNotOverwrittenUnasked) {
  ASSERT_TRUE(generate(url_, tiny_, {.posts = 10}));
  const auto again = generate(url_, tiny_, {.posts = 5});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::already_exists);
  EXPECT_THAT(again.error().message, HasSubstr("holds 10 rows; replace them with --replace"));
  ASSERT_TRUE(generate(url_, tiny_, {.posts = 5, .replace = true}));
  EXPECT_EQ(count_rows(url_, tiny_)->at(1).rows, 5);
}

TEST_F(Source, ManyThreadsReadAtOnce) {
  ASSERT_TRUE(generate(url_, tiny_, {.posts = 500}));
  auto reader = PostReader::open(url_, tiny_);
  ASSERT_TRUE(reader);
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 2 * PostReader::max_connections; ++t) {
    threads.emplace_back([&, t] {
      for (int64_t i = 0; i < 500; ++i) {
        const int64_t n = (i * 7 + t) % 500;
        const auto post = (*reader)->post(n);
        const std::string start = fmt::format("{{\"number\":{},", n);
        if (!post || !post->at(0).starts_with(start) || !post->at(1).starts_with(start)) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(Source, ARangeOfRowsComesInTheOrderOfTheKey) {
  ASSERT_TRUE(generate(url_, tiny_, {.posts = 100}));
  auto database = Database::open(url_, Database::Access::read);
  ASSERT_TRUE(database);
  auto rows = (*database)->reader(source_table(tiny_.records[0]));
  ASSERT_TRUE(rows);
  std::vector<int64_t> keys;
  ASSERT_TRUE((*rows)->each_row(40, 44, [&keys](int64_t key, std::string_view json) {
    keys.push_back(key);
    EXPECT_THAT(std::string(json), HasSubstr(fmt::format("\"number\":{},", key)));
  }));
  EXPECT_THAT(keys, ::testing::ElementsAre(40, 41, 42, 43, 44));
}

// The folder of real posts where PINFLOW_REAL_POSTS names one, else of generated ones.
TEST_F(Source, PostsLoadAndReadBackEqual) {
  const pipeline::Pipeline posts = posts_pipeline();
  std::filesystem::path from;
  if (const char* real = std::getenv("PINFLOW_REAL_POSTS")) {
    from = real;
  } else {
    from = folder_.path();
    auto generator = Generator::load(posts.generator, posts);
    ASSERT_TRUE(generator) << generator.error().message;
    std::vector<std::string> texts(posts.records.size()), json;
    for (int64_t n = 0; n < 1000; ++n) {
      generator->post(n * 7, json);
      for (size_t i = 0; i < texts.size(); ++i) texts[i] += json[i] + "\n";
    }
    for (size_t i = 0; i < texts.size(); ++i) folder_.write(posts.records[i].source_table + ".jsonl", texts[i]);
  }
  const auto loaded = load_folder(url_, posts, from);
  ASSERT_TRUE(loaded) << loaded.error().message;
  auto reader = PostReader::open(url_, posts);
  ASSERT_TRUE(reader) << reader.error().message;
  ASSERT_EQ(*(*reader)->count(), (*loaded)[0].rows);
  // Python's spacing taken out, outside of texts; then the bytes are equal.
  const auto compact = [](const std::string& line) {
    std::string text;
    bool inside = false;
    for (size_t i = 0; i < line.size(); ++i) {
      if (line[i] == '"' && (i == 0 || line[i - 1] != '\\')) inside = !inside;
      if (inside || line[i] != ' ') text += line[i];
    }
    return text;
  };
  for (size_t record = 0; record < posts.records.size(); ++record) {
    std::ifstream in(from / (posts.records[record].source_table + ".jsonl"));
    std::string line;
    for (int64_t n = 0; std::getline(in, line); ++n) {
      const auto post = (*reader)->post(n);
      ASSERT_TRUE(post) << post.error().message;
      ASSERT_EQ((*post)[record], compact(line)) << n;
    }
  }
}

}  // namespace
}  // namespace pinflow::source
