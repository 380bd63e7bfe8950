// What the broker does for each API: a request in, its response out. Thread-safe; called by connections' reading
// threads, which they may keep busy. Each family has a .cc file of its own.
#pragma once

#include "kafka/broker/answer_queue.h"
#include "kafka/broker/services.h"
#include "kafka/codec/messages.h"

namespace pinflow::kafka {

// handle_produce.cc. Answers when all batches are durable, on the log's thread.
void handle(Services& services, const Call& call, ProduceRequest request, Answer answer);
InitProducerIdResponse handle(Services& services, const Call& call, InitProducerIdRequest request);

// handle_fetch.cc. Waits for data as long as the request allows.
void handle(Services& services, const Call& call, FetchRequest request, Answer answer);

// handle_offsets.cc: where a partition begins and ends.
ListOffsetsResponse handle(Services& services, const Call& call, ListOffsetsRequest request);
OffsetForLeaderEpochResponse handle(Services& services, const Call& call, OffsetForLeaderEpochRequest request);
DeleteRecordsResponse handle(Services& services, const Call& call, DeleteRecordsRequest request);

// handle_metadata.cc
ApiVersionsResponse handle(Services& services, const Call& call, ApiVersionsRequest request);
MetadataResponse handle(Services& services, const Call& call, MetadataRequest request);
DescribeClusterResponse handle(Services& services, const Call& call, DescribeClusterRequest request);
FindCoordinatorResponse handle(Services& services, const Call& call, FindCoordinatorRequest request);

// handle_topics.cc
CreateTopicsResponse handle(Services& services, const Call& call, CreateTopicsRequest request);
DeleteTopicsResponse handle(Services& services, const Call& call, DeleteTopicsRequest request);
CreatePartitionsResponse handle(Services& services, const Call& call, CreatePartitionsRequest request);

// handle_configs.cc
DescribeConfigsResponse handle(Services& services, const Call& call, DescribeConfigsRequest request);
AlterConfigsResponse handle(Services& services, const Call& call, AlterConfigsRequest request);
IncrementalAlterConfigsResponse handle(Services& services, const Call& call, IncrementalAlterConfigsRequest request);

// handle_membership.cc
void handle(Services& services, const Call& call, JoinGroupRequest request, Answer answer);
void handle(Services& services, const Call& call, SyncGroupRequest request, Answer answer);
HeartbeatResponse handle(Services& services, const Call& call, HeartbeatRequest request);
LeaveGroupResponse handle(Services& services, const Call& call, LeaveGroupRequest request);

// handle_groups.cc
OffsetCommitResponse handle(Services& services, const Call& call, OffsetCommitRequest request);
OffsetFetchResponse handle(Services& services, const Call& call, OffsetFetchRequest request);
DescribeGroupsResponse handle(Services& services, const Call& call, DescribeGroupsRequest request);
ListGroupsResponse handle(Services& services, const Call& call, ListGroupsRequest request);
DeleteGroupsResponse handle(Services& services, const Call& call, DeleteGroupsRequest request);
OffsetDeleteResponse handle(Services& services, const Call& call, OffsetDeleteRequest request);

}  // namespace pinflow::kafka
