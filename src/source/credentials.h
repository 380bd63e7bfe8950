// Which database the source is, and the credentials for it: what the URL leaves open comes from the environment, then
// from db_creds.yaml. No message ever holds a value of either.
//
// db_creds.yaml has the keys HOST USER PASSWORD DATABASE PORT, each in any of the styles that are about: as they are,
// with the prefix RDS_ or AWSDB_, in capitals or small letters. PORT may be absent (3306). Other keys are left alone.
// The environment: PINFLOW_DB_HOST, PINFLOW_DB_USER, PINFLOW_DB_PASSWORD, PINFLOW_DB_DATABASE, PINFLOW_DB_PORT.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "source/url.h"

namespace pinflow::source {

inline constexpr int default_mysql_port = 3306;

struct CredentialOptions {
  std::filesystem::path file;             // --db-creds FILE; empty where not given
  std::filesystem::path pipeline_folder;  // looked into after the working folder
};

// The db_creds.yaml that holds: the named one, else the working folder's, else the pipeline's; nothing where there is
// none. A named file that does not exist is an error.
Result<std::optional<std::filesystem::path>> find_credentials(const CredentialOptions& options);

// A mysql URL with all that it lacked; an sqlite URL as it is. invalid where something is still missing: the message
// names the key, the file that was read and the variable.
Result<SourceUrl> complete(SourceUrl url, const CredentialOptions& options);

// The source to use: the URL that was given (--source, or the pipeline's setting), else the MySQL database of the
// environment or of a db_creds.yaml that is there, else the SQLite file `otherwise`.
Result<SourceUrl> choose_source(const std::string& url, const CredentialOptions& options,
                                const std::filesystem::path& otherwise);

}  // namespace pinflow::source
