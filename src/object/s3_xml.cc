#include "object/s3_xml.h"

#include <pugixml.hpp>

#include "aws/canonical.h"
#include "base/clock.h"

namespace pinflow::object {
namespace {

// The document's root where it has this name. (Namespaces are on the root as an attribute, not in the names.)
Result<pugi::xml_node> root_of(pugi::xml_document& document, std::string_view body, const char* name) {
  const pugi::xml_parse_result parsed = document.load_buffer(body.data(), body.size());
  if (!parsed) return corrupt("the answer is not XML: {}", parsed.description());
  const pugi::xml_node root = document.child(name);
  if (!root) return corrupt("the answer is <{}>, not <{}>", document.first_child().name(), name);
  return root;
}

// With encoding-type=url keys come percent-encoded, a blank as '+'.
std::string key_of(const pugi::xml_node& node, const char* name, bool encoded) {
  std::string text = node.child(name).text().get();
  if (!encoded) return text;
  for (char& c : text)
    if (c == '+') c = ' ';
  return aws::percent_decode(text);
}

bool is_encoded(const pugi::xml_node& root) {
  return std::string_view(root.child("EncodingType").text().get()) == "url";
}

bool is_true(const pugi::xml_node& root, const char* name) {
  return std::string_view(root.child(name).text().get()) == "true";
}

}  // namespace

S3Failure parse_failure(std::string_view body) {
  pugi::xml_document document;
  if (!document.load_buffer(body.data(), body.size())) return {};
  const pugi::xml_node error = document.child("Error");
  return {error.child("Code").text().get(), error.child("Message").text().get(), error.child("Region").text().get(),
          parse_iso_time(error.child("ServerTime").text().get())};
}

Result<S3Page> parse_list(std::string_view body) {
  pugi::xml_document document;
  auto root = root_of(document, body, "ListBucketResult");
  if (!root) return pass(root.error());
  const bool encoded = is_encoded(*root);
  S3Page page;
  for (const pugi::xml_node& object : root->children("Contents"))
    page.objects.push_back({key_of(object, "Key", encoded), object.child("Size").text().as_llong(-1),
                            parse_iso_time(object.child("LastModified").text().get()).value_or(0)});
  if (is_true(*root, "IsTruncated")) {
    page.next = root->child("NextContinuationToken").text().get();
    if (page.next.empty()) return corrupt("a list that goes on names no continuation token");
  }
  return page;
}

Result<S3Uploads> parse_uploads(std::string_view body) {
  pugi::xml_document document;
  auto root = root_of(document, body, "ListMultipartUploadsResult");
  if (!root) return pass(root.error());
  const bool encoded = is_encoded(*root);
  S3Uploads page;
  for (const pugi::xml_node& upload : root->children("Upload"))
    page.uploads.push_back({key_of(upload, "Key", encoded), upload.child("UploadId").text().get(),
                            parse_iso_time(upload.child("Initiated").text().get()).value_or(0)});
  if (is_true(*root, "IsTruncated")) {
    page.next_key = key_of(*root, "NextKeyMarker", encoded);
    page.next_id = root->child("NextUploadIdMarker").text().get();
    if (page.next_key.empty()) return corrupt("a list of uploads that goes on names no marker");
  }
  return page;
}

Result<std::string> parse_upload_id(std::string_view body) {
  pugi::xml_document document;
  auto root = root_of(document, body, "InitiateMultipartUploadResult");
  if (!root) return pass(root.error());
  std::string id = root->child("UploadId").text().get();
  if (id.empty()) return corrupt("a multipart upload was begun without an id");
  return id;
}

std::string complete_body(const std::vector<std::string>& etags) {
  std::string body = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  for (size_t i = 0; i < etags.size(); ++i)
    body += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>", i + 1, etags[i]);
  return body + "</CompleteMultipartUpload>";
}

}  // namespace pinflow::object
