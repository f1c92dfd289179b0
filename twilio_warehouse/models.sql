-- Made by `python -m dev.docs.dbt_models` from dbt/. twilio_warehouse/models.py reads it.

-- source__dlt_loads
select null as "inserted_at", null as "status" where false

-- source_a2p_brand_registrations
select null as "sid", null as "account_sid", null as "customer_profile_bundle_sid", null as "a2p_profile_bundle_sid", null as "date_created", null as "date_updated", null as "brand_type", null as "status", null as "tcr_id", null as "failure_reason", null as "errors", null as "brand_score", null as "brand_feedback", null as "identity_status", null as "russell_3000", null as "government_entity", null as "tax_exempt_status", null as "skip_automatic_sec_vet", null as "mock", null as "url", null as "links" where false

-- source_a2p_brand_vettings
select null as "brand_vetting_sid", null as "account_sid", null as "brand_sid", null as "date_updated", null as "date_created", null as "vetting_id", null as "vetting_class", null as "vetting_status", null as "vetting_provider", null as "url" where false

-- source_account_balance
select null as "account_sid", null as "balance", null as "currency" where false

-- source_accounts
select null as "sid", null as "owner_account_sid", null as "friendly_name", null as "type", null as "status", null as "date_created", null as "date_updated", null as "uri", null as "subresource_uris" where false

-- source_addresses
select null as "sid", null as "account_sid", null as "friendly_name", null as "customer_name", null as "iso_country", null as "street", null as "street_secondary", null as "city", null as "region", null as "postal_code", null as "emergency_enabled", null as "validated", null as "verified", null as "date_created", null as "date_updated", null as "uri" where false

-- source_alerts
select null as "sid", null as "account_sid", null as "resource_sid", null as "service_sid", null as "alert_text", null as "log_level", null as "error_code", null as "date_created", null as "date_updated", null as "date_generated", null as "api_version", null as "request_url", null as "request_method", null as "more_info", null as "url" where false

-- source_applications
select null as "sid", null as "account_sid", null as "friendly_name", null as "public_application_connect_enabled", null as "date_created", null as "date_updated", null as "voice_caller_id_lookup", null as "voice_url", null as "voice_method", null as "voice_fallback_url", null as "voice_fallback_method", null as "sms_url", null as "sms_method", null as "sms_fallback_url", null as "sms_fallback_method", null as "sms_status_callback", null as "message_status_callback", null as "status_callback", null as "status_callback_method", null as "api_version", null as "uri" where false

-- source_available_phone_number_countries
select null as "country_code", null as "account_sid", null as "country", null as "beta", null as "uri", null as "subresource_uris" where false

-- source_available_phone_numbers_local
select null as "phone_number", null as "account_sid", null as "country_code", null as "friendly_name", null as "iso_country", null as "locality", null as "region", null as "postal_code", null as "lata", null as "rate_center", null as "latitude", null as "longitude", null as "address_requirements", null as "beta", null as "capabilities" where false

-- source_available_phone_numbers_mobile
select null as "phone_number", null as "account_sid", null as "country_code", null as "friendly_name", null as "iso_country", null as "locality", null as "region", null as "postal_code", null as "lata", null as "rate_center", null as "latitude", null as "longitude", null as "address_requirements", null as "beta", null as "capabilities" where false

-- source_available_phone_numbers_toll_free
select null as "phone_number", null as "account_sid", null as "country_code", null as "friendly_name", null as "iso_country", null as "locality", null as "region", null as "postal_code", null as "lata", null as "rate_center", null as "latitude", null as "longitude", null as "address_requirements", null as "beta", null as "capabilities" where false

-- source_call_events
select null as "row_id", null as "call_sid", null as "account_sid", null as "date_created", null as "request", null as "response" where false

-- source_call_insights_events
select null as "row_id", null as "call_sid", null as "timestamp", null as "account_sid", null as "edge", null as "group", null as "level", null as "name", null as "carrier_edge", null as "sip_edge", null as "sdk_edge", null as "client_edge" where false

-- source_call_insights_metrics
select null as "row_id", null as "call_sid", null as "timestamp", null as "account_sid", null as "edge", null as "direction", null as "carrier_edge", null as "sip_edge", null as "sdk_edge", null as "client_edge" where false

-- source_call_summaries
select null as "call_sid", null as "account_sid", null as "answered_by", null as "call_type", null as "call_state", null as "processing_state", null as "created_time", null as "start_time", null as "end_time", null as "duration", null as "connect_duration", null as "from", null as "to", null as "carrier_edge", null as "client_edge", null as "sdk_edge", null as "sip_edge", null as "tags", null as "attributes", null as "properties", null as "trust", null as "annotation", null as "agent_session_summaries", null as "url" where false

-- source_calls
select null as "sid", null as "account_sid", null as "parent_call_sid", null as "phone_number_sid", null as "group_sid", null as "trunk_sid", null as "from", null as "from_formatted", null as "to", null as "to_formatted", null as "caller_name", null as "forwarded_from", null as "annotation", null as "status", null as "direction", null as "answered_by", null as "date_created", null as "date_updated", null as "start_time", null as "end_time", null as "duration", null as "queue_time", null as "price", null as "price_unit", null as "api_version", null as "uri", null as "subresource_uris", null as "deleted_at" where false

-- source_channel_senders
select null as "sid", null as "account_sid", null as "status", null as "sender_id", null as "configuration", null as "webhook", null as "profile", null as "properties", null as "offline_reasons", null as "compliance", null as "url" where false

-- source_conference_participant_summaries
select null as "participant_sid", null as "conference_sid", null as "account_sid", null as "label", null as "call_sid", null as "call_direction", null as "from", null as "to", null as "call_status", null as "country_code", null as "is_moderator", null as "join_time", null as "leave_time", null as "duration_seconds", null as "outbound_queue_length", null as "outbound_time_in_queue", null as "jitter_buffer_size", null as "is_coach", null as "coached_participants", null as "participant_region", null as "conference_region", null as "call_type", null as "processing_state", null as "properties", null as "events", null as "metrics", null as "url" where false

-- source_conference_participants
select null as "call_sid", null as "conference_sid", null as "account_sid", null as "call_sid_to_coach", null as "label", null as "status", null as "muted", null as "hold", null as "coaching", null as "start_conference_on_enter", null as "end_conference_on_exit", null as "date_created", null as "date_updated", null as "queue_time", null as "uri" where false

-- source_conference_summaries
select null as "conference_sid", null as "account_sid", null as "friendly_name", null as "create_time", null as "start_time", null as "end_time", null as "duration_seconds", null as "connect_duration_seconds", null as "status", null as "max_participants", null as "max_concurrent_participants", null as "unique_participants", null as "end_reason", null as "ended_by", null as "mixer_region", null as "mixer_region_requested", null as "recording_enabled", null as "detected_issues", null as "tags", null as "tag_info", null as "processing_state", null as "url", null as "links" where false

-- source_conferences
select null as "sid", null as "account_sid", null as "call_sid_ending_conference", null as "friendly_name", null as "region", null as "status", null as "reason_conference_ended", null as "date_created", null as "date_updated", null as "api_version", null as "uri", null as "subresource_uris" where false

-- source_content_approvals
select null as "sid", null as "account_sid", null as "date_created", null as "date_updated", null as "friendly_name", null as "language", null as "variables", null as "types", null as "approval_requests" where false

-- source_content_templates
select null as "sid", null as "account_sid", null as "date_created", null as "date_updated", null as "friendly_name", null as "language", null as "variables", null as "types", null as "url", null as "links" where false

-- source_conversation_address_configurations
select null as "sid", null as "account_sid", null as "type", null as "address", null as "friendly_name", null as "auto_creation", null as "date_created", null as "date_updated", null as "address_country", null as "url" where false

-- source_conversation_message_receipts
select null as "sid", null as "account_sid", null as "chat_service_sid", null as "conversation_sid", null as "message_sid", null as "channel_message_sid", null as "participant_sid", null as "status", null as "error_code", null as "date_created", null as "date_updated", null as "url" where false

-- source_conversation_messages
select null as "sid", null as "account_sid", null as "chat_service_sid", null as "conversation_sid", null as "index", null as "author", null as "body", null as "media", null as "attributes", null as "participant_sid", null as "date_created", null as "date_updated", null as "delivery", null as "content_sid", null as "url", null as "links" where false

-- source_conversation_participants
select null as "sid", null as "account_sid", null as "chat_service_sid", null as "conversation_sid", null as "identity", null as "attributes", null as "messaging_binding", null as "role_sid", null as "date_created", null as "date_updated", null as "last_read_message_index", null as "last_read_timestamp", null as "url" where false

-- source_conversations
select null as "sid", null as "account_sid", null as "chat_service_sid", null as "messaging_service_sid", null as "friendly_name", null as "unique_name", null as "attributes", null as "state", null as "date_created", null as "date_updated", null as "timers", null as "bindings", null as "url", null as "links" where false

-- source_dependent_phone_numbers
select null as "sid", null as "address_sid", null as "account_sid", null as "trunk_sid", null as "friendly_name", null as "phone_number", null as "address_requirements", null as "capabilities", null as "emergency_status", null as "emergency_address_sid", null as "date_created", null as "date_updated", null as "voice_application_sid", null as "voice_caller_id_lookup", null as "voice_url", null as "voice_method", null as "voice_fallback_url", null as "voice_fallback_method", null as "sms_application_sid", null as "sms_url", null as "sms_method", null as "sms_fallback_url", null as "sms_fallback_method", null as "status_callback", null as "status_callback_method", null as "api_version", null as "uri" where false

-- source_executions
select null as "sid", null as "account_sid", null as "flow_sid", null as "contact_channel_address", null as "contact_sid", null as "flow_version", null as "context", null as "status", null as "date_created", null as "date_updated", null as "initiated_by", null as "url", null as "links" where false

-- source_flow_revisions
select null as "sid", null as "revision", null as "account_sid", null as "author_sid", null as "friendly_name", null as "definition", null as "status", null as "commit_message", null as "valid", null as "errors", null as "date_created", null as "date_updated", null as "url" where false

-- source_flows
select null as "sid", null as "account_sid", null as "author_sid", null as "friendly_name", null as "definition", null as "status", null as "revision", null as "commit_message", null as "valid", null as "errors", null as "warnings", null as "date_created", null as "date_updated", null as "webhook_url", null as "url", null as "links" where false

-- source_hosted_number_orders
select null as "sid", null as "account_sid", null as "incoming_phone_number_sid", null as "address_sid", null as "signing_document_sid", null as "phone_number", null as "capabilities", null as "friendly_name", null as "status", null as "failure_reason", null as "date_created", null as "date_updated", null as "email", null as "cc_emails", null as "url", null as "contact_title", null as "contact_phone_number", null as "bulk_hosting_request_sid", null as "next_step", null as "verification_attempts", null as "verification_call_sids", null as "verification_call_delay", null as "verification_call_extension", null as "verification_type" where false

-- source_iam_keys
select null as "sid", null as "account_sid", null as "friendly_name", null as "date_created", null as "date_updated", null as "flags" where false

-- source_incoming_phone_numbers
select null as "sid", null as "account_sid", null as "address_sid", null as "identity_sid", null as "bundle_sid", null as "trunk_sid", null as "friendly_name", null as "phone_number", null as "type", null as "status", null as "origin", null as "address_requirements", null as "beta", null as "capabilities", null as "emergency_status", null as "emergency_address_sid", null as "emergency_address_status", null as "date_created", null as "date_updated", null as "voice_application_sid", null as "voice_receive_mode", null as "voice_caller_id_lookup", null as "voice_url", null as "voice_method", null as "voice_fallback_url", null as "voice_fallback_method", null as "sms_application_sid", null as "sms_url", null as "sms_method", null as "sms_fallback_url", null as "sms_fallback_method", null as "status_callback", null as "status_callback_method", null as "api_version", null as "uri", null as "subresource_uris" where false

-- source_intelligence_operator_results
select null as "transcript_sid", null as "operator_sid", null as "account_sid", null as "date_created", null as "operator_type", null as "name", null as "extract_match", null as "match_probability", null as "normalized_result", null as "utterance_results", null as "utterance_match", null as "predicted_label", null as "predicted_probability", null as "label_probabilities", null as "extract_results", null as "text_generation_results", null as "json_results", null as "url" where false

-- source_intelligence_operators
select null as "sid", null as "account_sid", null as "friendly_name", null as "description", null as "author", null as "operator_type", null as "version", null as "availability", null as "config", null as "date_created", null as "date_updated", null as "url" where false

-- source_intelligence_sentences
select null as "transcript_sid", null as "sentence_index", null as "account_sid", null as "date_created", null as "media_channel", null as "start_time", null as "end_time", null as "transcript", null as "sid", null as "confidence", null as "words" where false

-- source_intelligence_services
select null as "sid", null as "account_sid", null as "auto_redaction", null as "media_redaction", null as "auto_transcribe", null as "data_logging", null as "date_created", null as "date_updated", null as "friendly_name", null as "language_code", null as "unique_name", null as "webhook_url", null as "webhook_http_method", null as "read_only_attached_operator_sids", null as "version", null as "encryption_credential_sid", null as "url" where false

-- source_intelligence_transcripts
select null as "sid", null as "account_sid", null as "service_sid", null as "date_created", null as "date_updated", null as "status", null as "channel", null as "data_logging", null as "language_code", null as "customer_key", null as "media_start_time", null as "duration", null as "redaction", null as "encryption_credential_sid", null as "url", null as "links" where false

-- source_intelligence_v3_configurations
select null as "id", null as "account_sid", null as "account_id", null as "display_name", null as "description", null as "version", null as "rules", null as "date_created", null as "date_updated" where false

-- source_intelligence_v3_conversations
select null as "id", null as "account_sid", null as "account_id", null as "name", null as "status", null as "created_at", null as "updated_at", null as "intelligence_configuration_ids", null as "conversation_configuration_id", null as "channels", null as "channel_ids", null as "participants", null as "operator_result_ids" where false

-- source_intelligence_v3_operator_results
select null as "id", null as "account_sid", null as "output_format", null as "account_id", null as "intelligence_configuration", null as "conversation_id", null as "operator", null as "date_created", null as "reference_ids", null as "execution_details", null as "metadata", null as "result" where false

-- source_intelligence_v3_operators
select null as "id", null as "account_sid", null as "display_name", null as "description", null as "version", null as "author", null as "prompt", null as "output_format", null as "output_schema", null as "training_examples", null as "context", null as "parameters" where false

-- source_keys
select null as "sid", null as "account_sid", null as "friendly_name", null as "date_created", null as "date_updated" where false

-- source_message_media
select null as "sid", null as "account_sid", null as "parent_sid", null as "content_type", null as "date_created", null as "date_updated", null as "uri" where false

-- source_messages
select null as "sid", null as "account_sid", null as "messaging_service_sid", null as "from", null as "to", null as "body", null as "status", null as "direction", null as "error_code", null as "error_message", null as "date_created", null as "date_updated", null as "date_sent", null as "num_segments", null as "num_media", null as "price", null as "price_unit", null as "api_version", null as "uri", null as "subresource_uris", null as "deleted_at", null as "is_redacted" where false

-- source_messaging_pricing_countries
select null as "iso_country", null as "account_sid", null as "country", null as "outbound_sms_prices", null as "inbound_sms_prices", null as "price_unit", null as "url" where false

-- source_messaging_service_alpha_senders
select null as "sid", null as "service_sid", null as "account_sid", null as "date_created", null as "date_updated", null as "alpha_sender", null as "capabilities", null as "url" where false

-- source_messaging_service_channel_senders
select null as "sid", null as "messaging_service_sid", null as "account_sid", null as "sender", null as "sender_type", null as "country_code", null as "date_created", null as "date_updated", null as "url" where false

-- source_messaging_service_destination_alpha_senders
select null as "sid", null as "service_sid", null as "account_sid", null as "date_created", null as "date_updated", null as "alpha_sender", null as "capabilities", null as "iso_country_code", null as "url" where false

-- source_messaging_service_phone_numbers
select null as "sid", null as "service_sid", null as "account_sid", null as "date_created", null as "date_updated", null as "phone_number", null as "country_code", null as "capabilities", null as "url" where false

-- source_messaging_service_short_codes
select null as "sid", null as "service_sid", null as "account_sid", null as "date_created", null as "date_updated", null as "short_code", null as "country_code", null as "capabilities", null as "url" where false

-- source_messaging_services
select null as "sid", null as "account_sid", null as "friendly_name", null as "date_created", null as "date_updated", null as "inbound_request_url", null as "inbound_method", null as "fallback_url", null as "fallback_method", null as "status_callback", null as "sticky_sender", null as "mms_converter", null as "smart_encoding", null as "scan_message_content", null as "fallback_to_long_code", null as "area_code_geomatch", null as "synchronous_validation", null as "validity_period", null as "usecase", null as "us_app_to_person_registered", null as "use_inbound_webhook_on_number", null as "url", null as "links" where false

-- source_monitor_alarms
select null as "alert_config_sid", null as "account_sid", null as "friendly_name", null as "query_type", null as "query", null as "trigger_value", null as "time_window", null as "email", null as "webhook", null as "console_indicator", null as "description", null as "enabled", null as "product", null as "date_updated", null as "date_created" where false

-- source_monitor_events
select null as "sid", null as "account_sid", null as "actor_sid", null as "actor_type", null as "description", null as "event_data", null as "event_date", null as "event_type", null as "resource_sid", null as "resource_type", null as "source", null as "source_ip_address", null as "url", null as "links" where false

-- source_orchestrator_communications
select null as "id", null as "account_sid", null as "conversation_id", null as "account_id", null as "author", null as "content", null as "channel_id", null as "resource_id", null as "recipients", null as "created_at", null as "updated_at", null as "occurred_at" where false

-- source_orchestrator_conversations
select null as "id", null as "account_sid", null as "account_id", null as "configuration_id", null as "status", null as "name", null as "created_at", null as "updated_at", null as "configuration", null as "metadata", null as "participants" where false

-- source_orchestrator_participants
select null as "id", null as "account_sid", null as "conversation_id", null as "account_id", null as "name", null as "type", null as "profile_id", null as "addresses", null as "created_at", null as "updated_at" where false

-- source_outgoing_caller_ids
select null as "sid", null as "account_sid", null as "friendly_name", null as "phone_number", null as "date_created", null as "date_updated", null as "uri" where false

-- source_phone_number_pricing_countries
select null as "iso_country", null as "account_sid", null as "country", null as "phone_number_prices", null as "price_unit", null as "url" where false

-- source_port_in_requests
select null as "port_in_request_sid", null as "account_sid", null as "port_in_request_status", null as "status_last_updated_timestamp", null as "phone_numbers_requested", null as "phone_numbers_ported", null as "suggested_action" where false

-- source_queues
select null as "sid", null as "account_sid", null as "friendly_name", null as "date_created", null as "date_updated", null as "current_size", null as "max_size", null as "average_wait_time", null as "uri", null as "subresource_uris" where false

-- source_recordings
select null as "sid", null as "account_sid", null as "conference_sid", null as "call_sid", null as "status", null as "source", null as "error_code", null as "date_created", null as "date_updated", null as "start_time", null as "duration", null as "channels", null as "price", null as "price_unit", null as "encryption_details", null as "api_version", null as "media_url", null as "uri", null as "subresource_uris", null as "deleted_at" where false

-- source_regulatory_bundle_evaluations
select null as "sid", null as "account_sid", null as "regulation_sid", null as "bundle_sid", null as "status", null as "results", null as "date_created", null as "url" where false

-- source_regulatory_bundle_item_assignments
select null as "sid", null as "bundle_sid", null as "account_sid", null as "object_sid", null as "date_created", null as "url" where false

-- source_regulatory_bundles
select null as "sid", null as "account_sid", null as "regulation_sid", null as "friendly_name", null as "status", null as "valid_until", null as "email", null as "status_callback", null as "date_created", null as "date_updated", null as "url", null as "links" where false

-- source_regulatory_end_users
select null as "sid", null as "account_sid", null as "friendly_name", null as "type", null as "attributes", null as "date_created", null as "date_updated", null as "url" where false

-- source_regulatory_supporting_documents
select null as "sid", null as "account_sid", null as "friendly_name", null as "mime_type", null as "status", null as "failure_reason", null as "errors", null as "type", null as "attributes", null as "date_created", null as "date_updated", null as "url" where false

-- source_roles
select null as "sid", null as "account_sid", null as "chat_service_sid", null as "friendly_name", null as "type", null as "permissions", null as "date_created", null as "date_updated", null as "url" where false

-- source_services
select null as "sid", null as "account_sid", null as "friendly_name", null as "date_created", null as "date_updated", null as "url", null as "links" where false

-- source_short_codes
select null as "sid", null as "account_sid", null as "api_version", null as "date_created", null as "date_updated", null as "friendly_name", null as "short_code", null as "sms_fallback_method", null as "sms_fallback_url", null as "sms_method", null as "sms_url", null as "uri" where false

-- source_signing_keys
select null as "sid", null as "account_sid", null as "friendly_name", null as "date_created", null as "date_updated" where false

-- source_sip_credential_lists
select null as "sid", null as "account_sid", null as "date_created", null as "date_updated", null as "friendly_name", null as "uri", null as "subresource_uris" where false

-- source_sip_domains
select null as "sid", null as "account_sid", null as "api_version", null as "auth_type", null as "date_created", null as "date_updated", null as "domain_name", null as "friendly_name", null as "voice_fallback_method", null as "voice_fallback_url", null as "voice_method", null as "voice_status_callback_method", null as "voice_status_callback_url", null as "voice_url", null as "sip_registration", null as "emergency_calling_enabled", null as "secure", null as "byoc_trunk_sid", null as "emergency_caller_sid", null as "uri", null as "subresource_uris" where false

-- source_sip_ip_access_control_lists
select null as "sid", null as "account_sid", null as "friendly_name", null as "date_created", null as "date_updated", null as "uri", null as "subresource_uris" where false

-- source_sip_ip_addresses
select null as "sid", null as "account_sid", null as "friendly_name", null as "ip_address", null as "cidr_prefix_length", null as "ip_access_control_list_sid", null as "date_created", null as "date_updated", null as "uri" where false

-- source_step
select null as "sid", null as "account_sid", null as "flow_sid", null as "execution_sid", null as "parent_step_sid", null as "name", null as "context", null as "transitioned_from", null as "transitioned_to", null as "type", null as "date_created", null as "date_updated", null as "url", null as "links" where false

-- source_taskrouter_activities
select null as "sid", null as "account_sid", null as "available", null as "date_created", null as "date_updated", null as "friendly_name", null as "workspace_sid", null as "url", null as "links" where false

-- source_taskrouter_events
select null as "sid", null as "account_sid", null as "actor_sid", null as "actor_type", null as "actor_url", null as "description", null as "event_data", null as "event_date", null as "event_date_ms", null as "event_type", null as "resource_sid", null as "resource_type", null as "resource_url", null as "source", null as "source_ip_address", null as "workspace_sid", null as "url" where false

-- source_taskrouter_reservations
select null as "sid", null as "account_sid", null as "date_created", null as "date_updated", null as "reservation_status", null as "task_sid", null as "worker_name", null as "worker_sid", null as "workspace_sid", null as "url", null as "links" where false

-- source_taskrouter_task_channels
select null as "sid", null as "account_sid", null as "date_created", null as "date_updated", null as "friendly_name", null as "unique_name", null as "workspace_sid", null as "channel_optimized_routing", null as "url", null as "links" where false

-- source_taskrouter_task_queues
select null as "sid", null as "account_sid", null as "assignment_activity_sid", null as "assignment_activity_name", null as "date_created", null as "date_updated", null as "friendly_name", null as "max_reserved_workers", null as "reservation_activity_sid", null as "reservation_activity_name", null as "target_workers", null as "task_order", null as "workspace_sid", null as "url", null as "links" where false

-- source_taskrouter_tasks
select null as "sid", null as "account_sid", null as "age", null as "assignment_status", null as "attributes", null as "addons", null as "date_created", null as "date_updated", null as "task_queue_entered_date", null as "priority", null as "reason", null as "task_queue_sid", null as "task_queue_friendly_name", null as "task_channel_sid", null as "task_channel_unique_name", null as "timeout", null as "workflow_sid", null as "workflow_friendly_name", null as "workspace_sid", null as "virtual_start_time", null as "ignore_capacity", null as "routing_target", null as "url", null as "links" where false

-- source_taskrouter_worker_channels
select null as "sid", null as "account_sid", null as "assigned_tasks", null as "available", null as "available_capacity_percentage", null as "configured_capacity", null as "date_created", null as "date_updated", null as "task_channel_sid", null as "task_channel_unique_name", null as "worker_sid", null as "workspace_sid", null as "url" where false

-- source_taskrouter_workers
select null as "sid", null as "account_sid", null as "activity_name", null as "activity_sid", null as "attributes", null as "available", null as "date_created", null as "date_status_changed", null as "date_updated", null as "friendly_name", null as "workspace_sid", null as "url", null as "links" where false

-- source_taskrouter_workflows
select null as "sid", null as "account_sid", null as "assignment_callback_url", null as "configuration", null as "date_created", null as "date_updated", null as "document_content_type", null as "fallback_assignment_callback_url", null as "friendly_name", null as "task_reservation_timeout", null as "workspace_sid", null as "url", null as "links" where false

-- source_taskrouter_workspaces
select null as "sid", null as "account_sid", null as "date_created", null as "date_updated", null as "default_activity_name", null as "default_activity_sid", null as "event_callback_url", null as "events_filter", null as "friendly_name", null as "multi_task_enabled", null as "timeout_activity_name", null as "timeout_activity_sid", null as "prioritize_queue_order", null as "url", null as "links" where false

-- source_tollfree_verifications
select null as "sid", null as "account_sid", null as "customer_profile_sid", null as "trust_product_sid", null as "date_created", null as "date_updated", null as "regulated_item_sid", null as "business_name", null as "business_street_address", null as "business_street_address2", null as "business_city", null as "business_state_province_region", null as "business_postal_code", null as "business_country", null as "business_website", null as "business_contact_first_name", null as "business_contact_last_name", null as "business_contact_email", null as "business_contact_phone", null as "notification_email", null as "use_case_categories", null as "use_case_summary", null as "production_message_sample", null as "opt_in_image_urls", null as "opt_in_type", null as "message_volume", null as "additional_information", null as "tollfree_phone_number_sid", null as "tollfree_phone_number", null as "status", null as "rejection_reason", null as "error_code", null as "edit_expiration", null as "edit_allowed", null as "business_registration_number", null as "business_registration_authority", null as "business_registration_country", null as "business_type", null as "business_registration_phone_number", null as "doing_business_as", null as "opt_in_confirmation_message", null as "help_message_sample", null as "privacy_policy_url", null as "terms_and_conditions_url", null as "age_gated_content", null as "opt_in_keywords", null as "rejection_reasons", null as "resource_links", null as "external_reference_id", null as "vetting_id", null as "vetting_provider", null as "vetting_id_expiration", null as "url" where false

-- source_transcriptions
select null as "sid", null as "account_sid", null as "recording_sid", null as "transcription_text", null as "type", null as "status", null as "date_created", null as "date_updated", null as "duration", null as "price", null as "price_unit", null as "api_version", null as "uri" where false

-- source_trunk_origination_urls
select null as "sid", null as "account_sid", null as "trunk_sid", null as "weight", null as "enabled", null as "sip_url", null as "friendly_name", null as "priority", null as "date_created", null as "date_updated", null as "url" where false

-- source_trunk_phone_numbers
select null as "sid", null as "trunk_sid", null as "account_sid", null as "address_requirements", null as "api_version", null as "beta", null as "capabilities", null as "date_created", null as "date_updated", null as "friendly_name", null as "phone_number", null as "sms_application_sid", null as "sms_fallback_method", null as "sms_fallback_url", null as "sms_method", null as "sms_url", null as "status_callback", null as "status_callback_method", null as "voice_application_sid", null as "voice_caller_id_lookup", null as "voice_fallback_method", null as "voice_fallback_url", null as "voice_method", null as "voice_url", null as "url", null as "links" where false

-- source_trunking_pricing_countries
select null as "iso_country", null as "account_sid", null as "country", null as "terminating_prefix_prices", null as "originating_call_prices", null as "price_unit", null as "url" where false

-- source_trunks
select null as "sid", null as "account_sid", null as "domain_name", null as "disaster_recovery_method", null as "disaster_recovery_url", null as "friendly_name", null as "secure", null as "recording", null as "transfer_mode", null as "transfer_caller_id", null as "cnam_lookup_enabled", null as "auth_type", null as "symmetric_rtp_enabled", null as "auth_type_set", null as "date_created", null as "date_updated", null as "url", null as "links" where false

-- source_trusthub_customer_profile_channel_endpoint_assignments
select null as "sid", null as "customer_profile_sid", null as "account_sid", null as "channel_endpoint_type", null as "channel_endpoint_sid", null as "date_created", null as "url" where false

-- source_trusthub_customer_profile_entity_assignments
select null as "sid", null as "customer_profile_sid", null as "account_sid", null as "object_sid", null as "date_created", null as "url" where false

-- source_trusthub_customer_profile_evaluations
select null as "sid", null as "account_sid", null as "policy_sid", null as "customer_profile_sid", null as "status", null as "results", null as "date_created", null as "url" where false

-- source_trusthub_customer_profiles
select null as "sid", null as "account_sid", null as "policy_sid", null as "friendly_name", null as "status", null as "valid_until", null as "email", null as "status_callback", null as "date_created", null as "date_updated", null as "errors", null as "url", null as "links" where false

-- source_trusthub_end_users
select null as "sid", null as "account_sid", null as "friendly_name", null as "type", null as "attributes", null as "date_created", null as "date_updated", null as "url" where false

-- source_trusthub_supporting_documents
select null as "sid", null as "account_sid", null as "friendly_name", null as "mime_type", null as "status", null as "type", null as "attributes", null as "date_created", null as "date_updated", null as "url" where false

-- source_trusthub_trust_product_channel_endpoint_assignments
select null as "sid", null as "trust_product_sid", null as "account_sid", null as "channel_endpoint_type", null as "channel_endpoint_sid", null as "date_created", null as "url" where false

-- source_trusthub_trust_product_entity_assignments
select null as "sid", null as "trust_product_sid", null as "account_sid", null as "object_sid", null as "date_created", null as "url" where false

-- source_trusthub_trust_product_evaluations
select null as "sid", null as "account_sid", null as "policy_sid", null as "trust_product_sid", null as "status", null as "results", null as "date_created", null as "url" where false

-- source_trusthub_trust_products
select null as "sid", null as "account_sid", null as "policy_sid", null as "friendly_name", null as "status", null as "valid_until", null as "email", null as "status_callback", null as "date_created", null as "date_updated", null as "errors", null as "url", null as "links" where false

-- source_us_a2p_campaigns
select null as "messaging_service_sid", null as "sid", null as "account_sid", null as "brand_registration_sid", null as "description", null as "message_samples", null as "us_app_to_person_usecase", null as "has_embedded_links", null as "has_embedded_phone", null as "subscriber_opt_in", null as "age_gated", null as "direct_lending", null as "campaign_status", null as "campaign_id", null as "is_externally_registered", null as "rate_limits", null as "message_flow", null as "opt_in_message", null as "opt_out_message", null as "help_message", null as "opt_in_keywords", null as "opt_out_keywords", null as "help_keywords", null as "date_created", null as "date_updated", null as "mock", null as "errors", null as "privacy_policy_url", null as "terms_and_conditions_url", null as "url" where false

-- source_usage_records
select null as "start_date", null as "category", null as "account_sid", null as "end_date", null as "description", null as "as_of", null as "count", null as "count_unit", null as "usage", null as "usage_unit", null as "price", null as "price_unit", null as "api_version", null as "uri", null as "subresource_uris" where false

-- source_usage_records_all_time
select null as "category", null as "account_sid", null as "api_version", null as "as_of", null as "count", null as "count_unit", null as "description", null as "end_date", null as "price", null as "price_unit", null as "start_date", null as "usage", null as "usage_unit", null as "uri", null as "subresource_uris" where false

-- source_usage_records_monthly
select null as "start_date", null as "category", null as "account_sid", null as "api_version", null as "as_of", null as "count", null as "count_unit", null as "description", null as "end_date", null as "price", null as "price_unit", null as "usage", null as "usage_unit", null as "uri", null as "subresource_uris" where false

-- source_usage_triggers
select null as "sid", null as "account_sid", null as "friendly_name", null as "usage_category", null as "trigger_by", null as "recurring", null as "date_created", null as "date_updated", null as "date_fired", null as "current_value", null as "trigger_value", null as "callback_url", null as "callback_method", null as "api_version", null as "usage_record_uri", null as "uri" where false

-- source_user_conversations
select null as "conversation_sid", null as "user_sid", null as "account_sid", null as "chat_service_sid", null as "unread_messages_count", null as "last_read_message_index", null as "participant_sid", null as "friendly_name", null as "conversation_state", null as "timers", null as "attributes", null as "date_created", null as "date_updated", null as "created_by", null as "notification_level", null as "unique_name", null as "url", null as "links" where false

-- source_users
select null as "sid", null as "account_sid", null as "chat_service_sid", null as "role_sid", null as "identity", null as "friendly_name", null as "attributes", null as "is_online", null as "is_notifiable", null as "date_created", null as "date_updated", null as "url", null as "links" where false

-- source_verify_attempts
select null as "sid", null as "account_sid", null as "service_sid", null as "verification_sid", null as "date_created", null as "date_updated", null as "conversion_status", null as "channel", null as "price", null as "channel_data", null as "url" where false

-- source_verify_messaging_configurations
select null as "service_sid", null as "country", null as "account_sid", null as "messaging_service_sid", null as "date_created", null as "date_updated", null as "url" where false

-- source_verify_services
select null as "sid", null as "account_sid", null as "friendly_name", null as "code_length", null as "lookup_enabled", null as "psd2_enabled", null as "skip_sms_to_landlines", null as "dtmf_input_required", null as "tts_name", null as "do_not_share_warning_enabled", null as "custom_code_enabled", null as "push", null as "totp", null as "default_template_sid", null as "whatsapp", null as "passkeys", null as "verify_event_subscription_enabled", null as "date_created", null as "date_updated", null as "url", null as "links" where false

-- source_verify_templates
select null as "sid", null as "account_sid", null as "friendly_name", null as "channels", null as "translations" where false

-- source_video_compositions
select null as "sid", null as "account_sid", null as "status", null as "date_created", null as "date_completed", null as "date_deleted", null as "room_sid", null as "audio_sources", null as "audio_sources_excluded", null as "video_layout", null as "resolution", null as "trim", null as "format", null as "bitrate", null as "size", null as "duration", null as "media_external_location", null as "status_callback", null as "status_callback_method", null as "url", null as "links" where false

-- source_video_participant_summaries
select null as "participant_sid", null as "room_sid", null as "account_sid", null as "participant_identity", null as "join_time", null as "leave_time", null as "duration_sec", null as "status", null as "codecs", null as "end_reason", null as "error_code", null as "error_code_url", null as "media_region", null as "properties", null as "edge_location", null as "publisher_info", null as "url" where false

-- source_video_recordings
select null as "sid", null as "account_sid", null as "status", null as "date_created", null as "source_sid", null as "size", null as "type", null as "duration", null as "container_format", null as "codec", null as "grouping_sids", null as "track_name", null as "offset", null as "media_external_location", null as "status_callback", null as "status_callback_method", null as "url", null as "links" where false

-- source_video_room_participants
select null as "sid", null as "account_sid", null as "room_sid", null as "status", null as "identity", null as "date_created", null as "date_updated", null as "start_time", null as "end_time", null as "duration", null as "url", null as "links" where false

-- source_video_room_summaries
select null as "room_sid", null as "account_sid", null as "room_name", null as "create_time", null as "end_time", null as "room_type", null as "room_status", null as "status_callback", null as "status_callback_method", null as "created_method", null as "end_reason", null as "max_participants", null as "unique_participants", null as "unique_participant_identities", null as "concurrent_participants", null as "max_concurrent_participants", null as "codecs", null as "media_region", null as "duration_sec", null as "total_participant_duration_sec", null as "total_recording_duration_sec", null as "processing_state", null as "recording_enabled", null as "edge_location", null as "url", null as "links" where false

-- source_video_room_transcriptions
select null as "ttid", null as "account_sid", null as "room_sid", null as "source_sid", null as "status", null as "date_created", null as "date_updated", null as "start_time", null as "end_time", null as "duration", null as "url", null as "configuration" where false

-- source_video_rooms
select null as "sid", null as "account_sid", null as "status", null as "date_created", null as "date_updated", null as "enable_turn", null as "unique_name", null as "status_callback", null as "status_callback_method", null as "end_time", null as "duration", null as "type", null as "max_participants", null as "max_participant_duration", null as "max_concurrent_published_tracks", null as "record_participants_on_connect", null as "video_codecs", null as "media_region", null as "audio_only", null as "empty_room_timeout", null as "unused_room_timeout", null as "large_room", null as "url", null as "links" where false

-- source_voice_dialing_permission_countries
select null as "iso_code", null as "account_sid", null as "name", null as "continent", null as "country_codes", null as "low_risk_numbers_enabled", null as "high_risk_special_numbers_enabled", null as "high_risk_tollfraud_numbers_enabled", null as "url", null as "links" where false

-- source_voice_pricing_countries
select null as "iso_country", null as "account_sid", null as "country", null as "outbound_prefix_prices", null as "inbound_call_prices", null as "price_unit", null as "url" where false

-- source_voice_transcriptions
select null as "id", null as "account_sid", null as "account_id", null as "status", null as "transcription_configuration_id", null as "media_url", null as "source_id", null as "audio_started_at", null as "conversation_id", null as "participants", null as "duration", null as "resolved_configuration", null as "created_at", null as "updated_at", null as "url", null as "links" where false

-- stg_twilio__a2p_brand_registrations
select
    cast("sid" as varchar) as sid,
    cast("account_sid" as varchar) as account_sid,
    cast("brand_type" as varchar) as brand_type,
    cast("status" as varchar) as status,
    cast("identity_status" as varchar) as identity_status,
    cast("failure_reason" as varchar) as failure_reason
  from source_a2p_brand_registrations

-- stg_twilio__accounts
select
    cast("sid" as varchar) as sid,
    cast("owner_account_sid" as varchar) as owner_account_sid,
    cast("friendly_name" as varchar) as friendly_name,
    cast("status" as varchar) as status
  from source_accounts

-- stg_twilio__calls
select
    cast("sid" as varchar) as sid,
    cast("account_sid" as varchar) as account_sid,
    cast("from" as varchar) as from_address,
    cast("to" as varchar) as to_address,
    cast("status" as varchar) as status,
    cast("direction" as varchar) as direction,
    cast("date_created" as timestamptz) as date_created,
    cast("start_time" as timestamptz) as start_time,
    cast("duration" as bigint) as duration,
    cast("price" as decimal(38, 9)) as price,
    cast("price_unit" as varchar) as price_unit,
    cast("deleted_at" as timestamptz) as deleted_at,
    cast(null as timestamptz) as read_at
  from source_calls

-- stg_twilio__conversation_messages
select
    cast("sid" as varchar) as sid,
    cast("account_sid" as varchar) as account_sid,
    cast("conversation_sid" as varchar) as conversation_sid,
    cast("participant_sid" as varchar) as participant_sid,
    cast("index" as bigint) as place,
    cast("author" as varchar) as author,
    cast("date_created" as timestamptz) as date_created
  from source_conversation_messages

-- stg_twilio__conversation_participants
select
    cast("sid" as varchar) as sid,
    cast("account_sid" as varchar) as account_sid,
    cast("identity" as varchar) as identity,
    "messaging_binding" as messaging_binding
  from source_conversation_participants

-- stg_twilio__incoming_phone_numbers
select
    cast("sid" as varchar) as sid,
    cast("account_sid" as varchar) as account_sid,
    cast("phone_number" as varchar) as phone_number,
    cast("friendly_name" as varchar) as friendly_name,
    cast("type" as varchar) as type,
    cast("status" as varchar) as status,
    cast("date_created" as timestamptz) as date_created
  from source_incoming_phone_numbers

-- stg_twilio__messages
select
    cast("sid" as varchar) as sid,
    cast("account_sid" as varchar) as account_sid,
    cast("messaging_service_sid" as varchar) as messaging_service_sid,
    cast("from" as varchar) as from_address,
    cast("to" as varchar) as to_address,
    cast("body" as varchar) as body,
    cast("status" as varchar) as status,
    cast("direction" as varchar) as direction,
    cast("error_code" as bigint) as error_code,
    cast("date_created" as timestamptz) as date_created,
    cast("date_updated" as timestamptz) as date_updated,
    cast("date_sent" as timestamptz) as date_sent,
    cast("num_segments" as bigint) as num_segments,
    cast("num_media" as bigint) as num_media,
    cast("price" as decimal(38, 9)) as price,
    cast("price_unit" as varchar) as price_unit,
    cast("deleted_at" as timestamptz) as deleted_at,
    cast("is_redacted" as boolean) as is_redacted,
    cast(null as timestamptz) as read_at
  from source_messages

-- stg_twilio__messaging_service_channel_senders
select
    cast("messaging_service_sid" as varchar) as service_sid,
    cast("account_sid" as varchar) as account_sid,
    cast("sender" as varchar) as sender
  from source_messaging_service_channel_senders

-- stg_twilio__messaging_service_phone_numbers
select
    cast("service_sid" as varchar) as service_sid,
    cast("account_sid" as varchar) as account_sid,
    cast("phone_number" as varchar) as sender
  from source_messaging_service_phone_numbers

-- stg_twilio__messaging_service_short_codes
select
    cast("service_sid" as varchar) as service_sid,
    cast("account_sid" as varchar) as account_sid,
    cast("short_code" as varchar) as sender
  from source_messaging_service_short_codes

-- stg_twilio__messaging_services
select
    cast("sid" as varchar) as sid,
    cast("account_sid" as varchar) as account_sid,
    cast("friendly_name" as varchar) as friendly_name,
    cast("usecase" as varchar) as usecase,
    cast("us_app_to_person_registered" as boolean) as us_app_to_person_registered
  from source_messaging_services

-- stg_twilio__recordings
select
    cast("sid" as varchar) as sid,
    cast("account_sid" as varchar) as account_sid,
    cast("call_sid" as varchar) as call_sid,
    cast("status" as varchar) as status,
    cast("date_created" as timestamptz) as date_created,
    cast("date_updated" as timestamptz) as date_updated,
    cast("deleted_at" as timestamptz) as deleted_at,
    cast(null as timestamptz) as read_at
  from source_recordings

-- stg_twilio__us_a2p_campaigns
select
    cast("sid" as varchar) as sid,
    cast("account_sid" as varchar) as account_sid,
    cast("messaging_service_sid" as varchar) as messaging_service_sid,
    cast("brand_registration_sid" as varchar) as brand_registration_sid,
    cast("us_app_to_person_usecase" as varchar) as usecase,
    cast("campaign_status" as varchar) as campaign_status,
    cast("campaign_id" as varchar) as campaign_id
  from source_us_a2p_campaigns

-- stg_twilio__usage_records
select
    cast("account_sid" as varchar) as account_sid,
    cast("start_date" as date) as day,
    cast("end_date" as date) as end_date,
    cast("category" as varchar) as category,
    cast("count" as decimal(38, 9)) as events,
    cast("count_unit" as varchar) as count_unit,
    cast("usage" as decimal(38, 9)) as used,
    cast("usage_unit" as varchar) as usage_unit,
    cast("price" as decimal(38, 9)) as price,
    cast("price_unit" as varchar) as price_unit
  from source_usage_records

-- twilio__calls_by_day
select
  account_sid,
  cast((coalesce(start_time, date_created)) at time zone 'UTC' as date) as day,
  case when direction = 'inbound' then 'inbound' else 'outbound' end as direction,
  status as outcome,
  upper(price_unit) as currency,
  count(*) as calls,
  count(case when duration > 0 then 1 end) as calls_with_duration,
  cast(coalesce(sum(duration), 0) as bigint) as seconds,
  avg(case when duration > 0 then duration end) as average_seconds,
  max(duration) as longest_seconds,
  coalesce(sum(-price), 0) as cost
from stg_twilio__calls
group by 1, 2, 3, 4, 5

-- twilio__conversation_response_times
-- A customer waits from the first of the messages in a row until somebody else writes.
with messages as (
  select
    messages.account_sid,
    messages.conversation_sid,
    messages.place,
    messages.sid,
    messages.date_created,
    -- A participant that has left is not listed: then the author's address tells.
    case
      when participants.sid is not null
        then participants.identity is null
          and json_extract_string(participants.messaging_binding, '$.address') is not null
      else coalesce(messages.author like '+%' or messages.author like '%:+%', false)
    end as is_customer
  from stg_twilio__conversation_messages as messages
  left join stg_twilio__conversation_participants as participants
    on participants.sid = messages.participant_sid
),
waits as (
  select
    messages.*,
    coalesce(
      lag(is_customer) over (partition by conversation_sid order by place, sid), false
    ) as customer_wrote_before,
    min(case when not is_customer then date_created end) over (
      partition by conversation_sid order by place, sid
      rows between current row and unbounded following
    ) as answered_at
  from messages
),
answers as (
  select
    waits.*,
    is_customer and not customer_wrote_before as is_request,
    case
      when is_customer and not customer_wrote_before
        then cast(extract(epoch from (answered_at) - (date_created)) as bigint)
    end as seconds
  from waits
)
select
  account_sid,
  conversation_sid,
  count(*) as messages,
  count(case when is_customer then 1 end) as customer_messages,
  count(case when is_request then 1 end) as requests,
  count(seconds) as answered_requests,
  min(case when is_request then date_created end) as first_request_at,
  percentile_cont(0.5) within group (order by seconds) as median_response_seconds,
  max(seconds) as longest_response_seconds,
  min(case when is_request and answered_at is null then date_created end) as waiting_since
from answers
group by account_sid, conversation_sid

-- twilio__deletions
-- No API tells what was deleted. twilio-warehouse knows which ranges it has read again completely, and
-- sets deleted_at and is_redacted. Of Airbyte's tables both are an estimate.
with listed as (
  select
    'messages' as stream, sid, account_sid, date_created, date_sent as dated_at, deleted_at, read_at,
    cast(null as timestamptz) as listed_as_deleted_at,
    coalesce(is_redacted, false) as is_redacted
  from stg_twilio__messages
  union all
  select
    'calls' as stream, sid, account_sid, date_created, start_time as dated_at, deleted_at, read_at,
    cast(null as timestamptz) as listed_as_deleted_at,
    false as is_redacted
  from stg_twilio__calls
  union all
  select
    'recordings' as stream, sid, account_sid, date_created, date_created as dated_at, deleted_at, read_at,
    case when status = 'deleted' then date_updated end as listed_as_deleted_at,
    false as is_redacted
  from stg_twilio__recordings
),
read_again as (
  -- A sync reads everything from some moment on: a row is gone if it did not come when an older one did.
  select
    listed.*,
    max(read_at) over (
      partition by stream, account_sid, case when dated_at is null then 1 else 0 end
      order by dated_at, sid
      rows between unbounded preceding and 1 preceding
    ) as older_row_read_at
  from listed
),
found as (
  select
    read_again.*,
    deleted_at as missing_at
  from read_again
)
select
  stream,
  sid,
  account_sid,
  date_created,
  coalesce(listed_as_deleted_at, missing_at) as deleted_at,
  is_redacted,
  case
    when listed_as_deleted_at is not null then 'status'
    when missing_at is not null or is_redacted then 'read again'
  end as source
from found
where coalesce(listed_as_deleted_at, missing_at) is not null or is_redacted

-- twilio__freshness
-- What is there of each stream and account, and how new it is.
-- depends_on: source_accounts
with streams as (
select
        'a2p_brand_registrations' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_a2p_brand_registrations
      group by 1, 2
union all
select
        'a2p_brand_vettings' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_a2p_brand_vettings
      group by 1, 2
union all
select
        'account_balance' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(null as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_account_balance
      group by 1, 2
union all
select
        'accounts' as stream,
        coalesce("sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_accounts
      group by 1, 2
union all
select
        'addresses' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_addresses
      group by 1, 2
union all
select
        'alerts' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_alerts
      group by 1, 2
union all
select
        'applications' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_applications
      group by 1, 2
union all
select
        'available_phone_number_countries' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(null as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_available_phone_number_countries
      group by 1, 2
union all
select
        'available_phone_numbers_local' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(null as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_available_phone_numbers_local
      group by 1, 2
union all
select
        'available_phone_numbers_mobile' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(null as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_available_phone_numbers_mobile
      group by 1, 2
union all
select
        'available_phone_numbers_toll_free' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(null as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_available_phone_numbers_toll_free
      group by 1, 2
union all
select
        'call_events' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_call_events
      group by 1, 2
union all
select
        'call_insights_events' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(null as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_call_insights_events
      group by 1, 2
union all
select
        'call_insights_metrics' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(null as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_call_insights_metrics
      group by 1, 2
union all
select
        'call_summaries' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("created_time") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_call_summaries
      group by 1, 2
union all
select
        'calls' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_calls
      group by 1, 2
union all
select
        'channel_senders' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(null as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_channel_senders
      group by 1, 2
union all
select
        'conference_participant_summaries' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("join_time") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_conference_participant_summaries
      group by 1, 2
union all
select
        'conference_participants' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_conference_participants
      group by 1, 2
union all
select
        'conference_summaries' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("create_time") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_conference_summaries
      group by 1, 2
union all
select
        'conferences' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_conferences
      group by 1, 2
union all
select
        'content_approvals' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_content_approvals
      group by 1, 2
union all
select
        'content_templates' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_content_templates
      group by 1, 2
union all
select
        'conversation_address_configurations' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_conversation_address_configurations
      group by 1, 2
union all
select
        'conversation_message_receipts' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_conversation_message_receipts
      group by 1, 2
union all
select
        'conversation_messages' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_conversation_messages
      group by 1, 2
union all
select
        'conversation_participants' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_conversation_participants
      group by 1, 2
union all
select
        'conversations' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_conversations
      group by 1, 2
union all
select
        'dependent_phone_numbers' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_dependent_phone_numbers
      group by 1, 2
union all
select
        'executions' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_executions
      group by 1, 2
union all
select
        'flow_revisions' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_flow_revisions
      group by 1, 2
union all
select
        'flows' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_flows
      group by 1, 2
union all
select
        'hosted_number_orders' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_hosted_number_orders
      group by 1, 2
union all
select
        'iam_keys' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_iam_keys
      group by 1, 2
union all
select
        'incoming_phone_numbers' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_incoming_phone_numbers
      group by 1, 2
union all
select
        'intelligence_operator_results' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_intelligence_operator_results
      group by 1, 2
union all
select
        'intelligence_operators' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_intelligence_operators
      group by 1, 2
union all
select
        'intelligence_sentences' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_intelligence_sentences
      group by 1, 2
union all
select
        'intelligence_services' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_intelligence_services
      group by 1, 2
union all
select
        'intelligence_transcripts' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_intelligence_transcripts
      group by 1, 2
union all
select
        'intelligence_v3_configurations' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_intelligence_v3_configurations
      group by 1, 2
union all
select
        'intelligence_v3_conversations' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(null as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_intelligence_v3_conversations
      group by 1, 2
union all
select
        'intelligence_v3_operator_results' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_intelligence_v3_operator_results
      group by 1, 2
union all
select
        'intelligence_v3_operators' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(null as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_intelligence_v3_operators
      group by 1, 2
union all
select
        'keys' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_keys
      group by 1, 2
union all
select
        'message_media' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_message_media
      group by 1, 2
union all
select
        'messages' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_messages
      group by 1, 2
union all
select
        'messaging_pricing_countries' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(null as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_messaging_pricing_countries
      group by 1, 2
union all
select
        'messaging_service_alpha_senders' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_messaging_service_alpha_senders
      group by 1, 2
union all
select
        'messaging_service_channel_senders' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_messaging_service_channel_senders
      group by 1, 2
union all
select
        'messaging_service_destination_alpha_senders' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_messaging_service_destination_alpha_senders
      group by 1, 2
union all
select
        'messaging_service_phone_numbers' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_messaging_service_phone_numbers
      group by 1, 2
union all
select
        'messaging_service_short_codes' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_messaging_service_short_codes
      group by 1, 2
union all
select
        'messaging_services' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_messaging_services
      group by 1, 2
union all
select
        'monitor_alarms' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_monitor_alarms
      group by 1, 2
union all
select
        'monitor_events' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("event_date") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_monitor_events
      group by 1, 2
union all
select
        'orchestrator_communications' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(null as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_orchestrator_communications
      group by 1, 2
union all
select
        'orchestrator_conversations' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(null as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_orchestrator_conversations
      group by 1, 2
union all
select
        'orchestrator_participants' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(null as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_orchestrator_participants
      group by 1, 2
union all
select
        'outgoing_caller_ids' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_outgoing_caller_ids
      group by 1, 2
union all
select
        'phone_number_pricing_countries' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(null as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_phone_number_pricing_countries
      group by 1, 2
union all
select
        'port_in_requests' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(null as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_port_in_requests
      group by 1, 2
union all
select
        'queues' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_queues
      group by 1, 2
union all
select
        'recordings' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_recordings
      group by 1, 2
union all
select
        'regulatory_bundle_evaluations' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_regulatory_bundle_evaluations
      group by 1, 2
union all
select
        'regulatory_bundle_item_assignments' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_regulatory_bundle_item_assignments
      group by 1, 2
union all
select
        'regulatory_bundles' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_regulatory_bundles
      group by 1, 2
union all
select
        'regulatory_end_users' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_regulatory_end_users
      group by 1, 2
union all
select
        'regulatory_supporting_documents' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_regulatory_supporting_documents
      group by 1, 2
union all
select
        'roles' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_roles
      group by 1, 2
union all
select
        'services' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_services
      group by 1, 2
union all
select
        'short_codes' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_short_codes
      group by 1, 2
union all
select
        'signing_keys' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_signing_keys
      group by 1, 2
union all
select
        'sip_credential_lists' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_sip_credential_lists
      group by 1, 2
union all
select
        'sip_domains' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_sip_domains
      group by 1, 2
union all
select
        'sip_ip_access_control_lists' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_sip_ip_access_control_lists
      group by 1, 2
union all
select
        'sip_ip_addresses' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_sip_ip_addresses
      group by 1, 2
union all
select
        'step' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_step
      group by 1, 2
union all
select
        'taskrouter_activities' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_taskrouter_activities
      group by 1, 2
union all
select
        'taskrouter_events' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("event_date") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_taskrouter_events
      group by 1, 2
union all
select
        'taskrouter_reservations' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_taskrouter_reservations
      group by 1, 2
union all
select
        'taskrouter_task_channels' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_taskrouter_task_channels
      group by 1, 2
union all
select
        'taskrouter_task_queues' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_taskrouter_task_queues
      group by 1, 2
union all
select
        'taskrouter_tasks' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_taskrouter_tasks
      group by 1, 2
union all
select
        'taskrouter_worker_channels' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_taskrouter_worker_channels
      group by 1, 2
union all
select
        'taskrouter_workers' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_taskrouter_workers
      group by 1, 2
union all
select
        'taskrouter_workflows' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_taskrouter_workflows
      group by 1, 2
union all
select
        'taskrouter_workspaces' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_taskrouter_workspaces
      group by 1, 2
union all
select
        'tollfree_verifications' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_tollfree_verifications
      group by 1, 2
union all
select
        'transcriptions' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_transcriptions
      group by 1, 2
union all
select
        'trunk_origination_urls' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_trunk_origination_urls
      group by 1, 2
union all
select
        'trunk_phone_numbers' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_trunk_phone_numbers
      group by 1, 2
union all
select
        'trunking_pricing_countries' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(null as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_trunking_pricing_countries
      group by 1, 2
union all
select
        'trunks' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_trunks
      group by 1, 2
union all
select
        'trusthub_customer_profile_channel_endpoint_assignments' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_trusthub_customer_profile_channel_endpoint_assignments
      group by 1, 2
union all
select
        'trusthub_customer_profile_entity_assignments' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_trusthub_customer_profile_entity_assignments
      group by 1, 2
union all
select
        'trusthub_customer_profile_evaluations' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_trusthub_customer_profile_evaluations
      group by 1, 2
union all
select
        'trusthub_customer_profiles' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_trusthub_customer_profiles
      group by 1, 2
union all
select
        'trusthub_end_users' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_trusthub_end_users
      group by 1, 2
union all
select
        'trusthub_supporting_documents' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_trusthub_supporting_documents
      group by 1, 2
union all
select
        'trusthub_trust_product_channel_endpoint_assignments' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_trusthub_trust_product_channel_endpoint_assignments
      group by 1, 2
union all
select
        'trusthub_trust_product_entity_assignments' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_trusthub_trust_product_entity_assignments
      group by 1, 2
union all
select
        'trusthub_trust_product_evaluations' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_trusthub_trust_product_evaluations
      group by 1, 2
union all
select
        'trusthub_trust_products' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_trusthub_trust_products
      group by 1, 2
union all
select
        'us_a2p_campaigns' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_us_a2p_campaigns
      group by 1, 2
union all
select
        'usage_records' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(cast(max("start_date") as varchar) || ' 00:00:00+00:00' as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_usage_records
      group by 1, 2
union all
select
        'usage_records_all_time' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(cast(max("start_date") as varchar) || ' 00:00:00+00:00' as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_usage_records_all_time
      group by 1, 2
union all
select
        'usage_records_monthly' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(cast(max("start_date") as varchar) || ' 00:00:00+00:00' as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_usage_records_monthly
      group by 1, 2
union all
select
        'usage_triggers' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_usage_triggers
      group by 1, 2
union all
select
        'user_conversations' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_user_conversations
      group by 1, 2
union all
select
        'users' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_users
      group by 1, 2
union all
select
        'verify_attempts' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_verify_attempts
      group by 1, 2
union all
select
        'verify_messaging_configurations' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_verify_messaging_configurations
      group by 1, 2
union all
select
        'verify_services' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_verify_services
      group by 1, 2
union all
select
        'verify_templates' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(null as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_verify_templates
      group by 1, 2
union all
select
        'video_compositions' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_video_compositions
      group by 1, 2
union all
select
        'video_participant_summaries' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("join_time") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_video_participant_summaries
      group by 1, 2
union all
select
        'video_recordings' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_video_recordings
      group by 1, 2
union all
select
        'video_room_participants' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_video_room_participants
      group by 1, 2
union all
select
        'video_room_summaries' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("create_time") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_video_room_summaries
      group by 1, 2
union all
select
        'video_room_transcriptions' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_video_room_transcriptions
      group by 1, 2
union all
select
        'video_rooms' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(max("date_created") as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_video_rooms
      group by 1, 2
union all
select
        'voice_dialing_permission_countries' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(null as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_voice_dialing_permission_countries
      group by 1, 2
union all
select
        'voice_pricing_countries' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(null as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_voice_pricing_countries
      group by 1, 2
union all
select
        'voice_transcriptions' as stream,
        coalesce("account_sid", '') as account_sid,
        count(*) as row_count,
        cast(null as timestamptz) as newest_row_at,
        (select max("inserted_at") from source__dlt_loads where "status" = 0) as last_read_at
      from source_voice_transcriptions
      group by 1, 2
)
select streams.*, accounts.friendly_name as account_name, accounts.status as account_status
from streams
left join stg_twilio__accounts as accounts on accounts.sid = streams.account_sid

-- twilio_calling_codes
select * from (values
  ('1', 'US'),
  ('1204', 'CA'),
  ('1226', 'CA'),
  ('1236', 'CA'),
  ('1242', 'BS'),
  ('1246', 'BB'),
  ('1249', 'CA'),
  ('1250', 'CA'),
  ('1257', 'CA'),
  ('1263', 'CA'),
  ('1264', 'AI'),
  ('1268', 'AG'),
  ('1273', 'CA'),
  ('1284', 'VG'),
  ('1289', 'CA'),
  ('1306', 'CA'),
  ('1340', 'VI'),
  ('1343', 'CA'),
  ('1345', 'KY'),
  ('1354', 'CA'),
  ('1365', 'CA'),
  ('1367', 'CA'),
  ('1368', 'CA'),
  ('1382', 'CA'),
  ('1403', 'CA'),
  ('1416', 'CA'),
  ('1418', 'CA'),
  ('1428', 'CA'),
  ('1431', 'CA'),
  ('1437', 'CA'),
  ('1438', 'CA'),
  ('1441', 'BM'),
  ('1450', 'CA'),
  ('1468', 'CA'),
  ('1473', 'GD'),
  ('1474', 'CA'),
  ('1506', 'CA'),
  ('1514', 'CA'),
  ('1519', 'CA'),
  ('1548', 'CA'),
  ('1579', 'CA'),
  ('1581', 'CA'),
  ('1584', 'CA'),
  ('1587', 'CA'),
  ('1600', 'CA'),
  ('1604', 'CA'),
  ('1613', 'CA'),
  ('1622', 'CA'),
  ('1633', 'CA'),
  ('1639', 'CA'),
  ('1647', 'CA'),
  ('1649', 'TC'),
  ('1658', 'JM'),
  ('1664', 'MS'),
  ('1670', 'MP'),
  ('1671', 'GU'),
  ('1672', 'CA'),
  ('1683', 'CA'),
  ('1684', 'AS'),
  ('1705', 'CA'),
  ('1709', 'CA'),
  ('1721', 'SX'),
  ('1742', 'CA'),
  ('1753', 'CA'),
  ('1758', 'LC'),
  ('1767', 'DM'),
  ('1778', 'CA'),
  ('1780', 'CA'),
  ('1782', 'CA'),
  ('1784', 'VC'),
  ('1787', 'PR'),
  ('1807', 'CA'),
  ('1809', 'DO'),
  ('1819', 'CA'),
  ('1825', 'CA'),
  ('1829', 'DO'),
  ('1849', 'DO'),
  ('1867', 'CA'),
  ('1868', 'TT'),
  ('1869', 'KN'),
  ('1873', 'CA'),
  ('1876', 'JM'),
  ('1879', 'CA'),
  ('1902', 'CA'),
  ('1905', 'CA'),
  ('1939', 'PR'),
  ('1942', 'CA'),
  ('20', 'EG'),
  ('211', 'SS'),
  ('212', 'MA'),
  ('213', 'DZ'),
  ('216', 'TN'),
  ('218', 'LY'),
  ('220', 'GM'),
  ('221', 'SN'),
  ('222', 'MR'),
  ('223', 'ML'),
  ('224', 'GN'),
  ('225', 'CI'),
  ('226', 'BF'),
  ('227', 'NE'),
  ('228', 'TG'),
  ('229', 'BJ'),
  ('230', 'MU'),
  ('231', 'LR'),
  ('232', 'SL'),
  ('233', 'GH'),
  ('234', 'NG'),
  ('235', 'TD'),
  ('236', 'CF'),
  ('237', 'CM'),
  ('238', 'CV'),
  ('239', 'ST'),
  ('240', 'GQ'),
  ('241', 'GA'),
  ('242', 'CG'),
  ('243', 'CD'),
  ('244', 'AO'),
  ('245', 'GW'),
  ('246', 'IO'),
  ('247', 'AC'),
  ('248', 'SC'),
  ('249', 'SD'),
  ('250', 'RW'),
  ('251', 'ET'),
  ('252', 'SO'),
  ('253', 'DJ'),
  ('254', 'KE'),
  ('255', 'TZ'),
  ('256', 'UG'),
  ('257', 'BI'),
  ('258', 'MZ'),
  ('260', 'ZM'),
  ('261', 'MG'),
  ('262', 'RE'),
  ('263', 'ZW'),
  ('264', 'NA'),
  ('265', 'MW'),
  ('266', 'LS'),
  ('267', 'BW'),
  ('268', 'SZ'),
  ('269', 'KM'),
  ('27', 'ZA'),
  ('290', 'SH'),
  ('291', 'ER'),
  ('297', 'AW'),
  ('298', 'FO'),
  ('299', 'GL'),
  ('30', 'GR'),
  ('31', 'NL'),
  ('32', 'BE'),
  ('33', 'FR'),
  ('34', 'ES'),
  ('350', 'GI'),
  ('351', 'PT'),
  ('352', 'LU'),
  ('353', 'IE'),
  ('354', 'IS'),
  ('355', 'AL'),
  ('356', 'MT'),
  ('357', 'CY'),
  ('358', 'FI'),
  ('359', 'BG'),
  ('36', 'HU'),
  ('370', 'LT'),
  ('371', 'LV'),
  ('372', 'EE'),
  ('373', 'MD'),
  ('374', 'AM'),
  ('375', 'BY'),
  ('376', 'AD'),
  ('377', 'MC'),
  ('378', 'SM'),
  ('380', 'UA'),
  ('381', 'RS'),
  ('382', 'ME'),
  ('383', 'XK'),
  ('385', 'HR'),
  ('386', 'SI'),
  ('387', 'BA'),
  ('389', 'MK'),
  ('39', 'IT'),
  ('40', 'RO'),
  ('41', 'CH'),
  ('420', 'CZ'),
  ('421', 'SK'),
  ('423', 'LI'),
  ('43', 'AT'),
  ('44', 'GB'),
  ('45', 'DK'),
  ('46', 'SE'),
  ('47', 'NO'),
  ('48', 'PL'),
  ('49', 'DE'),
  ('500', 'FK'),
  ('501', 'BZ'),
  ('502', 'GT'),
  ('503', 'SV'),
  ('504', 'HN'),
  ('505', 'NI'),
  ('506', 'CR'),
  ('507', 'PA'),
  ('508', 'PM'),
  ('509', 'HT'),
  ('51', 'PE'),
  ('52', 'MX'),
  ('53', 'CU'),
  ('54', 'AR'),
  ('55', 'BR'),
  ('56', 'CL'),
  ('57', 'CO'),
  ('58', 'VE'),
  ('590', 'GP'),
  ('591', 'BO'),
  ('592', 'GY'),
  ('593', 'EC'),
  ('594', 'GF'),
  ('595', 'PY'),
  ('596', 'MQ'),
  ('597', 'SR'),
  ('598', 'UY'),
  ('599', 'CW'),
  ('60', 'MY'),
  ('61', 'AU'),
  ('62', 'ID'),
  ('63', 'PH'),
  ('64', 'NZ'),
  ('65', 'SG'),
  ('66', 'TH'),
  ('670', 'TL'),
  ('672', 'NF'),
  ('673', 'BN'),
  ('674', 'NR'),
  ('675', 'PG'),
  ('676', 'TO'),
  ('677', 'SB'),
  ('678', 'VU'),
  ('679', 'FJ'),
  ('680', 'PW'),
  ('681', 'WF'),
  ('682', 'CK'),
  ('683', 'NU'),
  ('685', 'WS'),
  ('686', 'KI'),
  ('687', 'NC'),
  ('688', 'TV'),
  ('689', 'PF'),
  ('690', 'TK'),
  ('691', 'FM'),
  ('692', 'MH'),
  ('7', 'RU'),
  ('76', 'KZ'),
  ('77', 'KZ'),
  ('81', 'JP'),
  ('82', 'KR'),
  ('84', 'VN'),
  ('850', 'KP'),
  ('852', 'HK'),
  ('853', 'MO'),
  ('855', 'KH'),
  ('856', 'LA'),
  ('86', 'CN'),
  ('880', 'BD'),
  ('886', 'TW'),
  ('90', 'TR'),
  ('91', 'IN'),
  ('92', 'PK'),
  ('93', 'AF'),
  ('94', 'LK'),
  ('95', 'MM'),
  ('960', 'MV'),
  ('961', 'LB'),
  ('962', 'JO'),
  ('963', 'SY'),
  ('964', 'IQ'),
  ('965', 'KW'),
  ('966', 'SA'),
  ('967', 'YE'),
  ('968', 'OM'),
  ('970', 'PS'),
  ('971', 'AE'),
  ('972', 'IL'),
  ('973', 'BH'),
  ('974', 'QA'),
  ('975', 'BT'),
  ('976', 'MN'),
  ('977', 'NP'),
  ('98', 'IR'),
  ('992', 'TJ'),
  ('993', 'TM'),
  ('994', 'AZ'),
  ('995', 'GE'),
  ('996', 'KG'),
  ('998', 'UZ')
) as seed(prefix, country)

-- twilio_countries
select * from (values
  ('AC', 'Ascension Island'),
  ('AD', 'Andorra'),
  ('AE', 'United Arab Emirates'),
  ('AF', 'Afghanistan'),
  ('AG', 'Antigua & Barbuda'),
  ('AI', 'Anguilla'),
  ('AL', 'Albania'),
  ('AM', 'Armenia'),
  ('AO', 'Angola'),
  ('AR', 'Argentina'),
  ('AS', 'American Samoa'),
  ('AT', 'Austria'),
  ('AU', 'Australia'),
  ('AW', 'Aruba'),
  ('AZ', 'Azerbaijan'),
  ('BA', 'Bosnia & Herzegovina'),
  ('BB', 'Barbados'),
  ('BD', 'Bangladesh'),
  ('BE', 'Belgium'),
  ('BF', 'Burkina Faso'),
  ('BG', 'Bulgaria'),
  ('BH', 'Bahrain'),
  ('BI', 'Burundi'),
  ('BJ', 'Benin'),
  ('BM', 'Bermuda'),
  ('BN', 'Brunei'),
  ('BO', 'Bolivia'),
  ('BR', 'Brazil'),
  ('BS', 'Bahamas'),
  ('BT', 'Bhutan'),
  ('BW', 'Botswana'),
  ('BY', 'Belarus'),
  ('BZ', 'Belize'),
  ('CA', 'Canada'),
  ('CD', 'Congo - Kinshasa'),
  ('CF', 'Central African Republic'),
  ('CG', 'Congo - Brazzaville'),
  ('CH', 'Switzerland'),
  ('CI', 'Côte d’Ivoire'),
  ('CK', 'Cook Islands'),
  ('CL', 'Chile'),
  ('CM', 'Cameroon'),
  ('CN', 'China'),
  ('CO', 'Colombia'),
  ('CR', 'Costa Rica'),
  ('CU', 'Cuba'),
  ('CV', 'Cape Verde'),
  ('CW', 'Curaçao'),
  ('CY', 'Cyprus'),
  ('CZ', 'Czechia'),
  ('DE', 'Germany'),
  ('DJ', 'Djibouti'),
  ('DK', 'Denmark'),
  ('DM', 'Dominica'),
  ('DO', 'Dominican Republic'),
  ('DZ', 'Algeria'),
  ('EC', 'Ecuador'),
  ('EE', 'Estonia'),
  ('EG', 'Egypt'),
  ('ER', 'Eritrea'),
  ('ES', 'Spain'),
  ('ET', 'Ethiopia'),
  ('FI', 'Finland'),
  ('FJ', 'Fiji'),
  ('FK', 'Falkland Islands'),
  ('FM', 'Micronesia'),
  ('FO', 'Faroe Islands'),
  ('FR', 'France'),
  ('GA', 'Gabon'),
  ('GB', 'United Kingdom'),
  ('GD', 'Grenada'),
  ('GE', 'Georgia'),
  ('GF', 'French Guiana'),
  ('GH', 'Ghana'),
  ('GI', 'Gibraltar'),
  ('GL', 'Greenland'),
  ('GM', 'Gambia'),
  ('GN', 'Guinea'),
  ('GP', 'Guadeloupe'),
  ('GQ', 'Equatorial Guinea'),
  ('GR', 'Greece'),
  ('GT', 'Guatemala'),
  ('GU', 'Guam'),
  ('GW', 'Guinea-Bissau'),
  ('GY', 'Guyana'),
  ('HK', 'Hong Kong SAR China'),
  ('HN', 'Honduras'),
  ('HR', 'Croatia'),
  ('HT', 'Haiti'),
  ('HU', 'Hungary'),
  ('ID', 'Indonesia'),
  ('IE', 'Ireland'),
  ('IL', 'Israel'),
  ('IN', 'India'),
  ('IO', 'British Indian Ocean Territory'),
  ('IQ', 'Iraq'),
  ('IR', 'Iran'),
  ('IS', 'Iceland'),
  ('IT', 'Italy'),
  ('JM', 'Jamaica'),
  ('JO', 'Jordan'),
  ('JP', 'Japan'),
  ('KE', 'Kenya'),
  ('KG', 'Kyrgyzstan'),
  ('KH', 'Cambodia'),
  ('KI', 'Kiribati'),
  ('KM', 'Comoros'),
  ('KN', 'St. Kitts & Nevis'),
  ('KP', 'North Korea'),
  ('KR', 'South Korea'),
  ('KW', 'Kuwait'),
  ('KY', 'Cayman Islands'),
  ('KZ', 'Kazakhstan'),
  ('LA', 'Laos'),
  ('LB', 'Lebanon'),
  ('LC', 'St. Lucia'),
  ('LI', 'Liechtenstein'),
  ('LK', 'Sri Lanka'),
  ('LR', 'Liberia'),
  ('LS', 'Lesotho'),
  ('LT', 'Lithuania'),
  ('LU', 'Luxembourg'),
  ('LV', 'Latvia'),
  ('LY', 'Libya'),
  ('MA', 'Morocco'),
  ('MC', 'Monaco'),
  ('MD', 'Moldova'),
  ('ME', 'Montenegro'),
  ('MG', 'Madagascar'),
  ('MH', 'Marshall Islands'),
  ('MK', 'North Macedonia'),
  ('ML', 'Mali'),
  ('MM', 'Myanmar (Burma)'),
  ('MN', 'Mongolia'),
  ('MO', 'Macao SAR China'),
  ('MP', 'Northern Mariana Islands'),
  ('MQ', 'Martinique'),
  ('MR', 'Mauritania'),
  ('MS', 'Montserrat'),
  ('MT', 'Malta'),
  ('MU', 'Mauritius'),
  ('MV', 'Maldives'),
  ('MW', 'Malawi'),
  ('MX', 'Mexico'),
  ('MY', 'Malaysia'),
  ('MZ', 'Mozambique'),
  ('NA', 'Namibia'),
  ('NC', 'New Caledonia'),
  ('NE', 'Niger'),
  ('NF', 'Norfolk Island'),
  ('NG', 'Nigeria'),
  ('NI', 'Nicaragua'),
  ('NL', 'Netherlands'),
  ('NO', 'Norway'),
  ('NP', 'Nepal'),
  ('NR', 'Nauru'),
  ('NU', 'Niue'),
  ('NZ', 'New Zealand'),
  ('OM', 'Oman'),
  ('PA', 'Panama'),
  ('PE', 'Peru'),
  ('PF', 'French Polynesia'),
  ('PG', 'Papua New Guinea'),
  ('PH', 'Philippines'),
  ('PK', 'Pakistan'),
  ('PL', 'Poland'),
  ('PM', 'St. Pierre & Miquelon'),
  ('PR', 'Puerto Rico'),
  ('PS', 'Palestinian Territories'),
  ('PT', 'Portugal'),
  ('PW', 'Palau'),
  ('PY', 'Paraguay'),
  ('QA', 'Qatar'),
  ('RE', 'Réunion'),
  ('RO', 'Romania'),
  ('RS', 'Serbia'),
  ('RU', 'Russia'),
  ('RW', 'Rwanda'),
  ('SA', 'Saudi Arabia'),
  ('SB', 'Solomon Islands'),
  ('SC', 'Seychelles'),
  ('SD', 'Sudan'),
  ('SE', 'Sweden'),
  ('SG', 'Singapore'),
  ('SH', 'St. Helena, Ascension & Tristan da Cunha'),
  ('SI', 'Slovenia'),
  ('SK', 'Slovakia'),
  ('SL', 'Sierra Leone'),
  ('SM', 'San Marino'),
  ('SN', 'Senegal'),
  ('SO', 'Somalia'),
  ('SR', 'Suriname'),
  ('SS', 'South Sudan'),
  ('ST', 'São Tomé & Príncipe'),
  ('SV', 'El Salvador'),
  ('SX', 'Sint Maarten'),
  ('SY', 'Syria'),
  ('SZ', 'Eswatini'),
  ('TC', 'Turks & Caicos Islands'),
  ('TD', 'Chad'),
  ('TG', 'Togo'),
  ('TH', 'Thailand'),
  ('TJ', 'Tajikistan'),
  ('TK', 'Tokelau'),
  ('TL', 'Timor-Leste'),
  ('TM', 'Turkmenistan'),
  ('TN', 'Tunisia'),
  ('TO', 'Tonga'),
  ('TR', 'Türkiye'),
  ('TT', 'Trinidad & Tobago'),
  ('TV', 'Tuvalu'),
  ('TW', 'Taiwan'),
  ('TZ', 'Tanzania'),
  ('UA', 'Ukraine'),
  ('UG', 'Uganda'),
  ('US', 'United States'),
  ('UY', 'Uruguay'),
  ('UZ', 'Uzbekistan'),
  ('VC', 'St. Vincent & Grenadines'),
  ('VE', 'Venezuela'),
  ('VG', 'British Virgin Islands'),
  ('VI', 'U.S. Virgin Islands'),
  ('VN', 'Vietnam'),
  ('VU', 'Vanuatu'),
  ('WF', 'Wallis & Futuna'),
  ('WS', 'Samoa'),
  ('XK', 'Kosovo'),
  ('YE', 'Yemen'),
  ('ZA', 'South Africa'),
  ('ZM', 'Zambia'),
  ('ZW', 'Zimbabwe')
) as seed(country, name)

-- twilio_error_codes
select * from (values
  (11200, 'HTTP retrieval failure'),
  (11205, 'HTTP connection failure'),
  (11210, 'HTTP bad host name'),
  (12100, 'Document parse failure'),
  (12200, 'Schema validation warning'),
  (12300, 'Invalid Content-Type'),
  (21211, 'Invalid ''To'' phone number'),
  (21408, 'Region not enabled for SMS'),
  (21610, 'Recipient unsubscribed'),
  (21611, 'Queue of the sender full'),
  (21612, '''To'' and ''From'' do not fit'),
  (21614, '''To'' is no mobile number'),
  (30001, 'Queue overflow'),
  (30002, 'Account suspended'),
  (30003, 'Unreachable handset'),
  (30004, 'Message blocked'),
  (30005, 'Unknown handset'),
  (30006, 'Landline or unreachable'),
  (30007, 'Message filtered'),
  (30008, 'Unknown error'),
  (30009, 'Missing inbound segment'),
  (30010, 'Price exceeds max price'),
  (30011, 'MMS not supported in region'),
  (30019, 'Content size exceeds limit'),
  (30022, 'A2P rate limit exceeded'),
  (30024, 'Sender not provisioned'),
  (30027, 'T-Mobile daily limit reached'),
  (30032, 'Toll-free not verified'),
  (30033, 'A2P campaign suspended'),
  (30034, 'A2P number unregistered'),
  (30036, 'Validity period expired'),
  (30037, 'Outbound messaging disabled'),
  (30040, 'Sender ID not pre-registered'),
  (30450, 'Message delivery blocked'),
  (30454, 'Account''s limit exceeded'),
  (63003, '''To'' address not in channel'),
  (63016, 'Outside WhatsApp''s window')
) as seed(code, name)

-- twilio_keywords
select * from (values
  ('STOP', 'opt out', null),
  ('STOPALL', 'opt out', null),
  ('UNSUBSCRIBE', 'opt out', null),
  ('CANCEL', 'opt out', null),
  ('END', 'opt out', null),
  ('QUIT', 'opt out', null),
  ('REVOKE', 'opt out', date '2025-05-14'),
  ('OPTOUT', 'opt out', date '2025-05-14'),
  ('START', 'opt in', null),
  ('YES', 'opt in', null),
  ('UNSTOP', 'opt in', null),
  ('HELP', 'help', null),
  ('INFO', 'help', null)
) as seed(keyword, kind, since)

-- twilio_usage_categories
select * from (values
  ('sms', 'totalprice'),
  ('sms-inbound', 'sms'),
  ('sms-inbound-longcode', 'sms-inbound'),
  ('sms-inbound-shortcode', 'sms-inbound'),
  ('sms-outbound', 'sms'),
  ('sms-outbound-longcode', 'sms-outbound'),
  ('sms-outbound-shortcode', 'sms-outbound'),
  ('mms', 'totalprice'),
  ('mms-inbound', 'mms'),
  ('mms-inbound-longcode', 'mms-inbound'),
  ('mms-inbound-shortcode', 'mms-inbound'),
  ('mms-outbound', 'mms'),
  ('mms-outbound-longcode', 'mms-outbound'),
  ('mms-outbound-shortcode', 'mms-outbound'),
  ('calls', 'totalprice'),
  ('calls-inbound', 'calls'),
  ('calls-inbound-local', 'calls-inbound'),
  ('calls-inbound-mobile', 'calls-inbound'),
  ('calls-inbound-tollfree', 'calls-inbound'),
  ('calls-outbound', 'calls'),
  ('calls-sip', 'calls'),
  ('calls-sip-inbound', 'calls-sip'),
  ('calls-sip-outbound', 'calls-sip'),
  ('calls-client', 'calls'),
  ('recordings', 'totalprice'),
  ('recordingstorage', 'totalprice'),
  ('phonenumbers', 'totalprice'),
  ('phonenumbers-local', 'phonenumbers'),
  ('phonenumbers-mobile', 'phonenumbers'),
  ('phonenumbers-tollfree', 'phonenumbers'),
  ('phonenumbers-emergency', 'phonenumbers'),
  ('phonenumbers-setups', 'phonenumbers')
) as seed(category, parent)

-- int_twilio__service_senders
-- The messaging service of each sender: a number, a short code, or `rcs:agent`.
select account_sid, sender, min(service_sid) as service_sid
from (
  select account_sid, sender, service_sid from stg_twilio__messaging_service_phone_numbers
  union all
  select account_sid, sender, service_sid from stg_twilio__messaging_service_short_codes
  union all
  select account_sid, sender, service_sid from stg_twilio__messaging_service_channel_senders
) as senders
group by account_sid, sender

-- twilio__spend_by_day
-- Categories lie within each other: only those directly below totalprice are added up. What totalprice
-- has beyond them is `other`, so that the rows of a day add up to totalprice.
with billed as (
  select
    usage.account_sid,
    usage.day,
    upper(coalesce(usage.price_unit, '')) as currency,
    usage.category,
    categories.parent,
    usage.price,
    usage.events,
    usage.used,
    usage.usage_unit
  from stg_twilio__usage_records as usage
  left join twilio_usage_categories as categories on categories.category = usage.category
),
days as (
  select
    account_sid,
    day,
    currency,
    sum(case when category = 'totalprice' then price end) as totalprice,
    coalesce(sum(case when parent = 'totalprice' then price end), 0) as listed
  from billed
  group by account_sid, day, currency
),
parts as (
  select
    account_sid, day, currency, category,
    coalesce(sum(price), 0) as cost, sum(events) as events, sum(used) as used,
    max(usage_unit) as usage_unit
  from billed
  where parent = 'totalprice'
  group by account_sid, day, currency, category
  union all
  select account_sid, day, currency, 'other', totalprice - listed, null, null, null
  from days
  where totalprice <> listed
)
select
  parts.*,
  days.totalprice,
  case
    when days.totalprice is null then 'no totalprice'
    when days.listed > days.totalprice then 'categories exceed totalprice'
    else 'agrees'
  end as verdict
from parts
inner join days
  on days.account_sid = parts.account_sid
  and days.day = parts.day
  and days.currency = parts.currency

-- twilio__spend_reconciliation
-- Each parent category beside the sum of its children.
with usage as (
  select account_sid, day, upper(coalesce(price_unit, '')) as currency, category, sum(price) as price
  from stg_twilio__usage_records
  group by account_sid, day, upper(coalesce(price_unit, '')), category
),
children as (
  select
    usage.account_sid,
    usage.day,
    usage.currency,
    categories.parent,
    count(*) as children,
    coalesce(sum(usage.price), 0) as children_cost
  from usage
  inner join twilio_usage_categories as categories on categories.category = usage.category
  group by usage.account_sid, usage.day, usage.currency, categories.parent
)
select
  children.account_sid,
  children.day,
  children.currency,
  children.parent,
  children.children,
  children.children_cost,
  usage.price as parent_cost,
  coalesce(usage.price, 0) - children.children_cost as difference,
  case
    when usage.price is null then 'no parent'
    when usage.price = children.children_cost then 'agrees'
    when usage.price > children.children_cost then 'parent has more'
    else 'children have more'
  end as verdict
from children
left join usage
  on usage.account_sid = children.account_sid
  and usage.day = children.day
  and usage.currency = children.currency
  and usage.category = children.parent

-- int_twilio__messages
-- Messages, with what is asked of them: the day, the channel, both ends, the outcome.
with sides as (
  select
    messages.*,
    -- Twilio bills by this day.
    cast((coalesce(date_sent, date_created)) at time zone 'UTC' as date) as day,
    case when direction = 'inbound' then 'inbound' else 'outbound' end as way,
    case when direction = 'inbound' then from_address else to_address end as user_address,
    case when direction = 'inbound' then to_address else from_address end as own_address,
    lower(case
      when from_address like '%:%' then
    string_split(from_address, ':')[ 1 ]
      when to_address like '%:%' then
    string_split(to_address, ':')[ 1 ]
      when sid like 'MM%' or num_media > 0 then 'mms'
      else 'sms'
    end) as channel,
    case
      when status in ('delivered', 'read') then 'delivered'
      when status in ('received', 'undelivered', 'failed', 'canceled') then status
      when status in ('sent', 'delivery_unknown', 'partially_delivered') then 'unconfirmed'
      else 'pending'
    end as outcome,
    -- Twilio's prices are negative.
    -price as cost,
    upper(price_unit) as currency
  from stg_twilio__messages as messages
),
bare as (
  select
    sides.*,
    case when user_address like '%:%' then
    string_split(user_address, ':')[ 2 ]
 else user_address end as user_number,
    case when own_address like '%:%' then
    string_split(own_address, ':')[ 2 ]
 else own_address end as own_number
  from sides
)
select
  bare.*,
  coalesce(bare.messaging_service_sid, senders.service_sid) as service_sid,
  -- The longest calling code is meant: +1242 is not +1.
  coalesce(
    code4.country, code3.country, code2.country, code1.country,
    -- A WhatsApp user may have an ID instead of a number: the country's letters lead it.
    case when bare.user_number like '__.%' then substr(bare.user_number, 1, 2) end,
    'unknown'
  ) as country
from bare
left join int_twilio__service_senders as senders
  on senders.account_sid = bare.account_sid and senders.sender = bare.own_address
left join twilio_calling_codes as code4
  -- As one comparison: with a second one DuckDB does not hash, and needs 50 times as long.
  on code4.prefix = case when bare.user_number like '+%' then substr(bare.user_number, 2, 4) end
left join twilio_calling_codes as code3
  -- As one comparison: with a second one DuckDB does not hash, and needs 50 times as long.
  on code3.prefix = case when bare.user_number like '+%' then substr(bare.user_number, 2, 3) end
left join twilio_calling_codes as code2
  -- As one comparison: with a second one DuckDB does not hash, and needs 50 times as long.
  on code2.prefix = case when bare.user_number like '+%' then substr(bare.user_number, 2, 2) end
left join twilio_calling_codes as code1
  -- As one comparison: with a second one DuckDB does not hash, and needs 50 times as long.
  on code1.prefix = case when bare.user_number like '+%' then substr(bare.user_number, 2, 1) end

-- twilio__a2p_registrations
-- A row for each campaign, for each brand without one, and for each messaging service (or none) whose
-- messages to the US failed for want of a registration.
with campaigns as (
  select * from stg_twilio__us_a2p_campaigns
),
brands as (
  select * from stg_twilio__a2p_brand_registrations
),
sent as (
  select
    account_sid,
    coalesce(service_sid, 'none') as messaging_service_sid,
    count(*) as messages_to_us,
    count(case when error_code = 30034 then 1 end) as unregistered_30034,
    -- Rate, daily cap, T-Mobile's cap, campaign suspended, registration of the number under way.
    count(case when error_code in (30022, 30023, 30027, 30033, 30035) then 1 end)
      as other_a2p_failures,
    max(case when error_code in (30022, 30023, 30027, 30033, 30034, 30035) then date_created end)
      as last_failure_at
  from int_twilio__messages
  where way = 'outbound' and country = 'US' and channel in ('sms', 'mms')
  group by account_sid, coalesce(service_sid, 'none')
),
registered as (
  select
    coalesce(campaigns.account_sid, brands.account_sid) as account_sid,
    coalesce(campaigns.messaging_service_sid, 'none') as messaging_service_sid,
    coalesce(campaigns.sid, 'none') as campaign_sid,
    coalesce(campaigns.brand_registration_sid, brands.sid, 'none') as brand_sid,
    campaigns.campaign_id,
    campaigns.campaign_status,
    campaigns.usecase,
    brands.status as brand_status,
    brands.brand_type,
    brands.identity_status,
    brands.failure_reason as brand_failure_reason
  from brands
  full join campaigns on campaigns.brand_registration_sid = brands.sid
),
listed as (
  select * from registered
  union all
  select
    sent.account_sid, sent.messaging_service_sid, 'none', 'none',
    null, null, null, null, null, null, null
  from sent
  left join campaigns
    on campaigns.account_sid = sent.account_sid
    and campaigns.messaging_service_sid = sent.messaging_service_sid
  where campaigns.sid is null and sent.unregistered_30034 + sent.other_a2p_failures > 0
)
select
  listed.*,
  services.friendly_name as messaging_service_name,
  coalesce(sent.messages_to_us, 0) as messages_to_us,
  coalesce(sent.unregistered_30034, 0) as unregistered_30034,
  coalesce(sent.other_a2p_failures, 0) as other_a2p_failures,
  sent.last_failure_at
from listed
left join stg_twilio__messaging_services as services
  on services.sid = listed.messaging_service_sid
left join sent
  on sent.account_sid = listed.account_sid
  and sent.messaging_service_sid = listed.messaging_service_sid
  -- A brand without a campaign has sent nothing.
  and (listed.campaign_sid <> 'none' or listed.brand_sid = 'none')

-- twilio__delivery_times
-- Twilio has no moment of delivery. The last change of a delivered message is the nearest to it.
with sent as (
  select
    account_sid,
    day,
    channel,
    country,
    outcome,
    greatest(cast(extract(epoch from (date_sent) - (date_created)) as bigint), 0) as seconds_to_send,
    case
      when outcome = 'delivered' and date_updated is not null
        then greatest(cast(extract(epoch from (date_updated) - (date_sent)) as bigint), 0)
    end as seconds_to_deliver
  from int_twilio__messages
  where way = 'outbound' and date_sent is not null and date_created is not null
)
select
  account_sid,
  day,
  channel,
  country,
  count(*) as sent,
  count(case when outcome = 'delivered' then 1 end) as delivered,
  percentile_cont(0.5) within group (order by seconds_to_send) as median_seconds_to_send,
  percentile_cont(0.5) within group (order by seconds_to_deliver) as median_seconds_to_deliver,
  percentile_cont(0.95) within group (order by seconds_to_deliver) as p95_seconds_to_deliver
from sent
group by account_sid, day, channel, country

-- twilio__messages_by_day
select
  account_sid,
  day,
  way as direction,
  channel,
  country,
  outcome,
  error_code,
  currency,
  count(*) as messages,
  cast(sum(num_segments) as bigint) as segments,
  coalesce(sum(cost), 0) as cost
from int_twilio__messages
group by account_sid, day, way, channel, country, outcome, error_code, currency

-- twilio__numbers
with used as (
  select
    account_sid,
    own_number as phone_number,
    case when way = 'inbound' then 'message in' else 'message out' end as kind,
    cost as message_cost,
    null as call_cost,
    coalesce(date_sent, date_created) as used_at
  from int_twilio__messages
  union all
  select
    account_sid,
    case when direction = 'inbound' then to_address else from_address end,
    case when direction = 'inbound' then 'call in' else 'call out' end,
    null,
    -price,
    coalesce(start_time, date_created)
  from stg_twilio__calls
),
totals as (
  select
    account_sid,
    phone_number,
    count(case when kind = 'message in' then 1 end) as messages_in,
    count(case when kind = 'message out' then 1 end) as messages_out,
    count(case when kind = 'call in' then 1 end) as calls_in,
    count(case when kind = 'call out' then 1 end) as calls_out,
    sum(message_cost) as message_cost,
    sum(call_cost) as call_cost,
    max(used_at) as last_used_at
  from used
  group by account_sid, phone_number
)
select
  numbers.sid as number_sid,
  numbers.phone_number,
  numbers.friendly_name,
  numbers.type,
  numbers.status,
  numbers.account_sid,
  accounts.friendly_name as account_name,
  numbers.date_created as owned_since,
  senders.service_sid as messaging_service_sid,
  services.friendly_name as messaging_service_name,
  coalesce(totals.messages_in, 0) as messages_in,
  coalesce(totals.messages_out, 0) as messages_out,
  coalesce(totals.calls_in, 0) as calls_in,
  coalesce(totals.calls_out, 0) as calls_out,
  coalesce(totals.message_cost, 0) as message_cost,
  coalesce(totals.call_cost, 0) as call_cost,
  totals.last_used_at,
  coalesce(
    cast(extract(epoch from (current_timestamp) - (totals.last_used_at)) as bigint) > 90 * 86400, true
  ) as is_unused_for_90_days
from stg_twilio__incoming_phone_numbers as numbers
left join stg_twilio__accounts as accounts on accounts.sid = numbers.account_sid
left join int_twilio__service_senders as senders
  on senders.account_sid = numbers.account_sid and senders.sender = numbers.phone_number
left join stg_twilio__messaging_services as services on services.sid = senders.service_sid
left join totals
  on totals.account_sid = numbers.account_sid and totals.phone_number = numbers.phone_number

-- twilio__opt_out_events
-- An estimate: Twilio has no list of opt-outs that can be read.
with replies as (
  select messages.*, upper(regexp_replace(body, '^\s+|\s+$', '', 'g')) as word
  from int_twilio__messages as messages
  where way = 'inbound' and channel in ('sms', 'mms', 'rcs')
),
events as (
  select
    replies.sid, replies.account_sid, replies.user_number, replies.own_number, replies.service_sid,
    replies.channel, replies.date_created, keywords.kind, 'keyword' as source, keywords.keyword
  from replies
  inner join twilio_keywords as keywords
    on keywords.keyword = replies.word
    and (keywords.since is null or keywords.since <= cast((replies.date_created) at time zone 'UTC' as date))
  union all
  -- Refused by Twilio: the recipient had opted out before, in whatever way.
  select
    sid, account_sid, user_number, own_number, service_sid, channel, date_created,
    'opt out', 'error 21610', null
  from int_twilio__messages
  where way = 'outbound' and error_code = 21610 and channel in ('sms', 'mms', 'rcs')
)
select
  sid as message_sid,
  account_sid,
  user_number as recipient,
  -- An opt-out counts for all senders of a messaging service.
  coalesce(service_sid, own_number) as sender,
  case when service_sid is null then 'number' else 'messaging service' end as sender_kind,
  own_number as sender_number,
  kind,
  source,
  keyword,
  channel,
  date_created as happened_at,
  -- One list for SMS and MMS; since 2026-03-15 RCS has the same.
  channel <> 'rcs' or date_created >= cast('2026-03-15 00:00:00+00:00' as timestamptz) as counts_for_sms_mms,
  channel = 'rcs' or date_created >= cast('2026-03-15 00:00:00+00:00' as timestamptz) as counts_for_rcs
from events

-- twilio__opt_outs
-- An estimate, as twilio__opt_out_events is: the last event of each pair tells.
with effects as (
  select events.*, 'sms_mms' as list
  from twilio__opt_out_events as events
  where kind <> 'help' and counts_for_sms_mms
  union all
  select events.*, 'rcs' as list
  from twilio__opt_out_events as events
  where kind <> 'help' and counts_for_rcs
),
ranked as (
  select
    effects.*,
    row_number() over (
      partition by account_sid, recipient, sender, list
      -- Moments are whole seconds: of two in one, the opt-out is believed.
      order by happened_at desc, case when kind = 'opt out' then 0 else 1 end, message_sid
    ) as newest
  from effects
),
decisive as (
  select
    ranked.*,
    row_number() over (
      partition by account_sid, recipient, sender
      order by case when kind = 'opt out' then 0 else 1 end, happened_at desc, message_sid, list
    ) as place
  from ranked
  where newest = 1
),
counted as (
  select
    account_sid,
    recipient,
    sender,
    min(case when kind = 'opt out' then happened_at end) as first_opt_out_at,
    count(distinct case when source = 'keyword' and kind = 'opt out' then message_sid end) as opt_out_keywords,
    count(distinct case when source = 'keyword' and kind = 'opt in' then message_sid end) as opt_in_keywords,
    count(distinct case when source = 'error 21610' then message_sid end) as refused_messages,
    max(case when newest = 1 and list = 'sms_mms' then kind end) as sms_mms,
    max(case when newest = 1 and list = 'rcs' then kind end) as rcs
  from ranked
  group by account_sid, recipient, sender
)
select
  counted.account_sid,
  counted.recipient,
  counted.sender,
  decisive.sender_kind,
  -- Opted out of one channel is opted out here; the columns beside it say of which.
  decisive.kind = 'opt out' as is_opted_out,
  coalesce(counted.sms_mms = 'opt out', false) as is_opted_out_of_sms_mms,
  coalesce(counted.rcs = 'opt out', false) as is_opted_out_of_rcs,
  decisive.happened_at as decided_at,
  decisive.source,
  decisive.keyword,
  decisive.channel,
  decisive.message_sid,
  counted.first_opt_out_at,
  counted.opt_out_keywords,
  counted.opt_in_keywords,
  counted.refused_messages,
  true as is_estimate
from counted
inner join decisive
  on decisive.account_sid = counted.account_sid
  and decisive.recipient = counted.recipient
  and decisive.sender = counted.sender
  and decisive.place = 1
