// The program: parses the command line, runs the command, turns an error into a line on standard error and a status.
#pragma once

namespace pinflow::app {

// 0 when all was done, 1 when something failed, 2 when the command line is wrong.
int main(int argc, const char* const* argv);

}  // namespace pinflow::app
