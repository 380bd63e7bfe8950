#include "kinesis/client/endpoint.h"

#include "aws/digest.h"
#include "base/clock.h"

namespace pinflow::kinesis {
namespace {

constexpr std::string_view kTargetPrefix = "Kinesis_20131202.";
constexpr std::string_view kContentType = "application/x-amz-json-1.1";

}  // namespace

Endpoint::Endpoint(EndpointOptions options, std::shared_ptr<aws::CredentialsProvider> credentials)
    : options_(std::move(options)), credentials_(std::move(credentials)), scope_{options_.region, "kinesis"} {}

Result<std::shared_ptr<Endpoint>> Endpoint::create(EndpointOptions options,
                                                   std::shared_ptr<aws::CredentialsProvider> credentials) {
  if (options.region.empty()) options.region = "us-east-1";
  std::string url = options.url;
  if (url.empty()) {
    const bool china = options.region.starts_with("cn-");
    url = fmt::format("https://kinesis.{}.amazonaws.com{}", options.region, china ? ".cn" : "");
  }
  while (url.ends_with('/')) url.pop_back();
  const size_t scheme_end = url.find("://");
  const std::string scheme = url.substr(0, std::min(scheme_end, url.size()));
  std::string host = scheme_end == std::string::npos ? "" : url.substr(scheme_end + 3);
  if ((scheme != "http" && scheme != "https") || host.empty() || host.find_first_of("/?#@ ") != std::string::npos)
    return invalid("the Kinesis endpoint '{}' is not a URL such as http://127.0.0.1:4567", options.url);
  const std::string_view standard_port = scheme == "https" ? ":443" : ":80";
  if (host.ends_with(standard_port)) host.resize(host.size() - standard_port.size());
  std::shared_ptr<Endpoint> made(new Endpoint(std::move(options), std::move(credentials)));
  made->url_ = scheme + "://" + host;
  made->aws_ = host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn");
  made->host_ = std::move(host);
  return made;
}

Result<http::ClientRequest> Endpoint::request(std::string_view operation, std::string_view body) const {
  auto credentials = credentials_->get();
  if (!credentials) return pass(credentials.error());
  http::ClientRequest made;
  made.method = "POST";
  made.url = url_ + "/";
  made.headers = {{"content-type", std::string(kContentType)},
                  {"x-amz-target", std::string(kTargetPrefix).append(operation)}};
  const aws::SignedRequest request{"POST", host_, "/", {}, made.headers, aws::sha256_hex(body)};
  for (http::HeaderField& field : aws::sign(request, scope_, *credentials, now_ms() + clock_skew_ms_))
    made.headers.push_back(std::move(field));
  made.body_view = body;
  return made;
}

void Endpoint::set_clock(int64_t theirs_ms) const { clock_skew_ms_ = theirs_ms - now_ms(); }

}  // namespace pinflow::kinesis
