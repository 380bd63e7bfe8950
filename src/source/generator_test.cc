#include "source/generator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>

#include "base/bytes.h"
#include "source/profile.h"
#include "source/test_folder.h"

namespace pinflow::source {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;

size_t characters(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}
bool is_ascii(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c & 0x80) == 0; });
}

// What the course facts say of the real posts, counted over generated ones.
class PostsProfile : public ::testing::Test {
 protected:
  static constexpr int64_t posts = 20'000;

  static void SetUpTestSuite() {
    pipeline_ = new pipeline::Pipeline(posts_pipeline());
    auto generator = Generator::load(pipeline_->generator, *pipeline_, 100);
    ASSERT_TRUE(generator) << generator.error().message;
    rows_ = new std::vector<std::vector<Row>>(posts);
    for (int64_t n = 0; n < posts; ++n) generator->rows(n, (*rows_)[static_cast<size_t>(n)]);
  }
  static void TearDownTestSuite() {
    delete pipeline_;
    delete rows_;
  }

  static const Value& value(const std::vector<Row>& post, const std::string& record, const std::string& column) {
    for (size_t r = 0; r < pipeline_->records.size(); ++r) {
      const auto& columns = pipeline_->records[r].source_columns;
      for (size_t c = 0; c < columns.size(); ++c) {
        if (pipeline_->records[r].name == record && columns[c].name == column) return post[r][c];
      }
    }
    std::abort();
  }
  static const std::string& text(const std::vector<Row>& post, const std::string& record, const std::string& column) {
    return value(post, record, column).text;
  }
  static double share(const std::function<bool(const std::vector<Row>&)>& is) {
    return static_cast<double>(std::count_if(rows_->begin(), rows_->end(), is)) / static_cast<double>(posts);
  }
  static double share(const std::string& column, const std::string& equal_to) {
    return share([&](const auto& post) { return text(post, "pin", column) == equal_to; });
  }

  static pipeline::Pipeline* pipeline_;
  static std::vector<std::vector<Row>>* rows_;
};
pipeline::Pipeline* PostsProfile::pipeline_ = nullptr;
std::vector<std::vector<Row>>* PostsProfile::rows_ = nullptr;

TEST_F(PostsProfile, HasTheFormsOfTheFollowerCount) {
  const auto matching = [](const char* pattern) {
    const std::regex form(pattern);
    return share([&form](const auto& post) { return std::regex_match(text(post, "pin", "follower_count"), form); });
  };
  EXPECT_NEAR(matching("[0-9]+k"), 0.72, 0.02);
  EXPECT_NEAR(matching("[0-9]+"), 0.20, 0.02);
  EXPECT_NEAR(matching("[0-9]+M"), 0.07, 0.01);
  EXPECT_NEAR(share("follower_count", "User Info Error"), 0.011, 0.004);
  EXPECT_EQ(matching("[0-9]+[kM]?|User Info Error"), 1);
}

TEST_F(PostsProfile, HasThePlaceholdersInTheirShares) {
  EXPECT_NEAR(share("is_image_or_video", "image"), 0.89, 0.01);
  EXPECT_NEAR(share("is_image_or_video", "multi-video(story page format)"), 0.08, 0.01);
  EXPECT_NEAR(share("is_image_or_video", "video"), 0.03, 0.006);
  EXPECT_NEAR(share("description", "No description available"), 0.02, 0.006);
  EXPECT_NEAR(share("tag_list", "N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e"), 0.02, 0.006);
  EXPECT_GT(share("description", "Untitled"), 0);
  EXPECT_GT(share("description", ""), 0);
  int64_t all_five = 0;
  for (const auto& post : *rows_) {
    const bool lost = text(post, "pin", "image_src") == "Image src error.";
    ASSERT_EQ(value(post, "pin", "downloaded").integer, lost ? 0 : 1);
    const bool story = text(post, "pin", "is_image_or_video").starts_with("multi");
    ASSERT_EQ(text(post, "pin", "description") == "No description available Story format", story);
    const bool broken = text(post, "pin", "title") == "No Title Data Available";
    ASSERT_EQ(text(post, "pin", "poster_name") == "User Info Error", broken);
    ASSERT_EQ(text(post, "pin", "follower_count") == "User Info Error", broken);
    if (!broken) continue;
    ++all_five;
    ASSERT_TRUE(lost && story);
    ASSERT_EQ(text(post, "pin", "tag_list"), "N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e");
  }
  EXPECT_NEAR(static_cast<double>(all_five) / posts, 0.01, 0.004);
}

TEST_F(PostsProfile, HasTextsAsTheyAre) {
  const std::regex url(
      "https://i[.]pinimg[.]com/(originals/(..)/(..)/(..)/\\2\\3\\4[0-9a-f]{26}[.](jpg|png|webp|gif)|"
      "videos/thumbnails/originals/(..)/(..)/(..)/\\6\\7\\8[0-9a-f]{26}[.]0000001[.]jpg)|Image src error[.]");
  std::set<std::string> ids, categories;
  std::map<std::string, int> titles_with;
  for (size_t n = 0; n < rows_->size(); ++n) {
    const auto& post = (*rows_)[n];
    ASSERT_EQ(value(post, "pin", "index").integer, static_cast<int64_t>(n));
    ASSERT_EQ(value(post, "user", "ind").integer, static_cast<int64_t>(n));
    ids.insert(text(post, "pin", "unique_id"));
    categories.insert(text(post, "pin", "category"));
    ASSERT_EQ(text(post, "pin", "save_location"), "Local save in /data/" + text(post, "pin", "category"));
    if (n < 2000) {
      ASSERT_TRUE(std::regex_match(text(post, "pin", "image_src"), url)) << text(post, "pin", "image_src");
    }
    const std::string& tags = text(post, "pin", "tag_list");
    ASSERT_THAT(std::count(tags.begin(), tags.end(), ','), AnyOf(8, 16)) << tags;
    const std::string& description = text(post, "pin", "description");
    ASSERT_LE(characters(description), 180u);
    if (description.ends_with("…\u00a0")) {
      ASSERT_EQ(characters(description), 180u);
    }
    const std::string& title = text(post, "pin", "title");
    ASSERT_LE(characters(title), 199u);
    for (const char* part : {"\u200d", "|", ",", "\"", "\n", "Осень", "手作り", "Σπίτι", "𝓵"})
      titles_with[part] += title.find(part) != std::string::npos;
  }
  EXPECT_EQ(ids.size(), rows_->size());
  EXPECT_EQ(categories.size(), 13u);
  EXPECT_EQ(titles_with.size(), 9u);
  for (const auto& [part, count] : titles_with) EXPECT_GT(count, 0) << part;
  EXPECT_NEAR(share([](const auto& post) { return !is_ascii(text(post, "pin", "title")); }), 0.11, 0.015);
  EXPECT_NEAR(share([](const auto& post) { return text(post, "pin", "poster_name").ends_with(' '); }), 0.015, 0.005);
  EXPECT_NEAR(share([](const auto& post) { return text(post, "pin", "description").ends_with("…\u00a0"); }),
              389 / 1058., 0.05);
}

TEST_F(PostsProfile, HasPersonsThatComeAgain) {
  std::map<std::string, int> countries;
  std::set<std::string> persons, names;
  std::map<int64_t, int> ages;
  for (size_t n = 0; n < rows_->size(); ++n) {
    const auto& post = (*rows_)[n];
    ++countries[text(post, "geo", "country")];
    const std::string name = text(post, "user", "first_name") + " " + text(post, "user", "last_name");
    if (n < 1058) {
      names.insert(name);
      persons.insert(name + text(post, "user", "date_joined"));
    }
    ASSERT_GE(text(post, "user", "date_joined"), "2015-10-21 00:00:00");
    ASSERT_LT(text(post, "user", "date_joined"), text(post, "geo", "timestamp"));
    ASSERT_LE(text(post, "geo", "timestamp"), "2022-10-16 23:59:59");
    const int64_t age = value(post, "user", "age").integer;
    ASSERT_TRUE(age >= 20 && age <= 60);
    const double latitude = value(post, "geo", "latitude").real;
    ASSERT_TRUE(latitude >= -90 && latitude <= 90);
    ASSERT_EQ(as_single(latitude), latitude);
  }
  EXPECT_EQ(countries.size(), 217u);
  EXPECT_TRUE(countries.contains("Cote d'Ivoire"));
  const double with_a = share([](const auto& post) { return text(post, "geo", "country").starts_with("A"); });
  EXPECT_NEAR(with_a, 0.37, 0.06);
  EXPECT_NEAR(static_cast<double>(persons.size()), 824, 60);
  EXPECT_LT(names.size(), persons.size());
}

TEST(GeneratedPosts, AreTheSameBytesForTheSameSeed) {
  const auto pipeline = posts_pipeline();
  auto generator = Generator::load(pipeline.generator, pipeline, 100);
  ASSERT_TRUE(generator) << generator.error().message;
  Generator copy = *generator;
  std::vector<std::string> json, again;
  uint32_t sum = 0;
  for (int64_t n = 0; n < 1000; ++n) {
    generator->post(n, json);
    for (const std::string& text : json) sum = crc32c(text, sum);
  }
  copy.post(999, again);  // without those before it
  EXPECT_EQ(json, again);
  EXPECT_EQ(sum, 3955933518u) << "the profile or a kind of generator changed what a seed makes";
  auto other = Generator::load(pipeline.generator, pipeline, 101);
  other->post(999, again);
  EXPECT_NE(json, again);
}

// Mistakes in a profile of the tiny pipeline.
class ProfileMistakes : public ::testing::Test {
 protected:
  std::string error_with(const std::string& from, const std::string& to, int lines_after = 0) {
    std::ifstream in(tiny_.generator);
    std::string text{std::istreambuf_iterator<char>(in), {}};
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    const auto line = 1 + lines_after + std::count(text.begin(), text.begin() + static_cast<long>(at), '\n');
    text.replace(at, from.size(), to);
    const auto file = folder_.write("generator.yaml", text);
    const auto loaded = Generator::load(file, tiny_);
    if (loaded) return "no error";
    EXPECT_THAT(loaded.error().message, HasSubstr(fmt::format("{}:{}: ", file.string(), line)));
    return loaded.error().message;
  }
  TestFolder folder_;
  pipeline::Pipeline tiny_ = tiny_pipeline();
};

TEST_F(ProfileMistakes, AreNamedWithFileAndLine) {
  EXPECT_THAT(error_with("kind: hex", "kind: hxe"),
              HasSubstr("the kind 'hxe', which does not exist; did you mean 'hex'?"));
  EXPECT_THAT(error_with("digits: 4", "digit: 4"), HasSubstr("unknown key 'digit' in 'hex'; did you mean 'digits'?"));
  EXPECT_THAT(error_with("digits: 4", "digits: four"), HasSubstr("must be a whole number from 1"));
  EXPECT_THAT(error_with("of: place, from: 0", "of: plaze, from: 0"),
              HasSubstr("there is no thing 'plaze'; did you mean 'place'?"));
  EXPECT_THAT(error_with("Hill {hex}", "Hill {hax}"),
              HasSubstr("there is no list, value or column 'hax'; did you mean 'hex'?"));
  EXPECT_THAT(error_with("Hill {hex}", "Hill {hex"), HasSubstr("without its '}'"));
  EXPECT_THAT(error_with("Hill {hex}", "Hill {name}"), HasSubstr("'station.name' uses 'station.name'"));
  EXPECT_THAT(error_with("when: {broken:", "when: {brken:"),
              HasSubstr("there is no chance 'brken'; did you mean 'broken'?"));
  EXPECT_THAT(error_with("broken: 0.05", "broken: 5"), HasSubstr("must be a number from 0 to 1"));
  EXPECT_THAT(error_with("broken: 0.05", "broken: {share: 0.1, within: x}"),
              HasSubstr("is no chance that stands above it"));
  EXPECT_THAT(error_with("2024-01-01 00:00:00", "2024-01-01"), HasSubstr("write it as 2020-08-28 03:52:47"));
  EXPECT_THAT(error_with("2024-01-01 00:00:00", "2025-01-01 00:00:00"),
              HasSubstr("'to' of 'reading.taken' is before 'from'"));
  EXPECT_THAT(error_with("    celsius: {kind: decimal", "    celsius: {kind: uuid}\n    fahrenheit: {kind: decimal", 1),
              AllOf(HasSubstr("unknown key 'fahrenheit' in record 'reading'"),
                    HasSubstr("the kind 'uuid' makes text, but 'celsius' is double")));
  EXPECT_THAT(error_with("\"sensor wet\": 5", "\"sensor wet\": few"), HasSubstr("the weight of 'sensor wet'"));
  EXPECT_THAT(error_with("number: {kind: sequence}", "number: {kind: choice, values: [one]}"),
              HasSubstr("\"one\" is no whole number"));
  EXPECT_THAT(error_with("number: {kind: sequence}", "number: {kind: choice, values: ones}"),
              HasSubstr("there is no list 'ones'"));
  EXPECT_THAT(error_with("place: {size: 12}", "place: {size: 12, skew: 0}"), HasSubstr("a whole number from 1 to 16"));
}

TEST_F(ProfileMistakes, AMissingColumnIsOne) {
  EXPECT_THAT(error_with("    height: {kind: decimal, of: place, from: 0, to: 2500, digits: 5}\n", "", -3),
              HasSubstr("record 'station' lacks the key 'height'"));
  const auto none = Generator::load("", tiny_);
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("names no generator profile"));
}

}  // namespace
}  // namespace pinflow::source
