// Every message that the codec knows.
#pragma once

#include "kafka/codec/api_versions.h"
#include "kafka/codec/configs.h"
#include "kafka/codec/describe_cluster.h"
#include "kafka/codec/fetch.h"
#include "kafka/codec/find_coordinator.h"
#include "kafka/codec/group_admin.h"
#include "kafka/codec/init_producer_id.h"
#include "kafka/codec/list_offsets.h"
#include "kafka/codec/membership.h"
#include "kafka/codec/message.h"
#include "kafka/codec/metadata.h"
#include "kafka/codec/offset_commit.h"
#include "kafka/codec/offset_fetch.h"
#include "kafka/codec/offset_for_leader_epoch.h"
#include "kafka/codec/produce.h"
#include "kafka/codec/topic_admin.h"
