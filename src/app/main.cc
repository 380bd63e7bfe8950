#include "app/commands.h"

int main(int argc, char** argv) { return pinflow::app::main(argc, argv); }
