-- Made by `python -m dev.docs.dbt_views` (see docs/dbt.md). Tables loaded by airbyte.
create schema if not exists `twilio_dbt`;

create or replace view `twilio_dbt`.`account_history` as select
  `sid` as `id`,
  `owner_account_sid` as `owner_account_id`,
  `friendly_name` as `friendly_name`,
  `type` as `type`,
  `status` as `status`,
  `date_created` as `created_at`,
  `date_updated` as `updated_at`,
  `_airbyte_extracted_at` as `_fivetran_synced`
from `twilio`.`accounts`;

create or replace view `twilio_dbt`.`address` as select
  `sid` as `id`,
  `account_sid` as `account_id`,
  `city` as `city`,
  `customer_name` as `customer_name`,
  `emergency_enabled` as `emergency_enabled`,
  `friendly_name` as `friendly_name`,
  `iso_country` as `iso_country`,
  `postal_code` as `postal_code`,
  `region` as `region`,
  `street` as `street`,
  `validated` as `validated`,
  `verified` as `verified`,
  `date_created` as `created_at`,
  `date_updated` as `updated_at`,
  `_airbyte_extracted_at` as `_fivetran_synced`
from `twilio`.`addresses`;

create or replace view `twilio_dbt`.`call` as select
  `sid` as `id`,
  `account_sid` as `account_id`,
  `annotation` as `annotation`,
  `answered_by` as `answered_by`,
  `caller_name` as `caller_name`,
  `direction` as `direction`,
  `duration` as `duration`,
  `end_time` as `end_time`,
  `forwarded_from` as `forwarded_from`,
  `from` as `from`,
  `from_formatted` as `from_formatted`,
  `group_sid` as `group_id`,
  `phone_number_sid` as `outgoing_caller_id`,
  `parent_call_sid` as `parent_call_id`,
  `price` as `price`,
  `price_unit` as `price_unit`,
  `queue_time` as `queue_time`,
  `start_time` as `start_time`,
  `status` as `status`,
  `to` as `to`,
  `to_formatted` as `to_formatted`,
  `trunk_sid` as `trunk_id`,
  `date_created` as `created_at`,
  `date_updated` as `updated_at`,
  `_airbyte_extracted_at` as `_fivetran_synced`
from `twilio`.`calls`;

create or replace view `twilio_dbt`.`incoming_phone_number` as select
  `sid` as `id`,
  `account_sid` as `account_id`,
  `address_sid` as `address_id`,
  `address_requirements` as `address_requirements`,
  `beta` as `beta`,
  cast(json_value(`capabilities`, '$.mms') as bool) as `capabilities_mms`,
  cast(json_value(`capabilities`, '$.sms') as bool) as `capabilities_sms`,
  cast(json_value(`capabilities`, '$.voice') as bool) as `capabilities_voice`,
  `emergency_address_sid` as `emergency_address_id`,
  `emergency_status` as `emergency_status`,
  `friendly_name` as `friendly_name`,
  `origin` as `origin`,
  `phone_number` as `phone_number`,
  `trunk_sid` as `trunk_id`,
  `voice_caller_id_lookup` as `voice_caller_id_lookup`,
  `voice_url` as `voice_url`,
  `date_created` as `created_at`,
  `date_updated` as `updated_at`,
  `_airbyte_extracted_at` as `_fivetran_synced`
from `twilio`.`incoming_phone_numbers`;

create or replace view `twilio_dbt`.`message` as select
  `sid` as `id`,
  `account_sid` as `account_id`,
  `body` as `body`,
  coalesce(`date_sent`, `date_created`) as `date_sent`,
  `direction` as `direction`,
  `error_code` as `error_code`,
  `error_message` as `error_message`,
  `from` as `from`,
  `messaging_service_sid` as `messaging_service_sid`,
  `num_media` as `num_media`,
  `num_segments` as `num_segments`,
  `price` as `price`,
  `price_unit` as `price_unit`,
  `status` as `status`,
  `to` as `to`,
  `date_created` as `created_at`,
  `date_updated` as `updated_at`,
  `_airbyte_extracted_at` as `_fivetran_synced`
from `twilio`.`messages`;

create or replace view `twilio_dbt`.`messaging_service` as select
  `sid` as `id`,
  `account_sid` as `account_id`,
  `area_code_geomatch` as `area_code_geomatch`,
  `fallback_method` as `fallback_method`,
  `fallback_to_long_code` as `fallback_to_long_code`,
  `fallback_url` as `fallback_url`,
  `friendly_name` as `friendly_name`,
  `inbound_method` as `inbound_method`,
  `inbound_request_url` as `inbound_request_url`,
  `mms_converter` as `mms_converter`,
  `scan_message_content` as `scan_message_content`,
  `smart_encoding` as `smart_encoding`,
  `status_callback` as `status_callback`,
  `sticky_sender` as `sticky_sender`,
  `synchronous_validation` as `synchronous_validation`,
  `us_app_to_person_registered` as `us_app_to_person_registered`,
  `use_inbound_webhook_on_number` as `use_inbound_webhook_on_number`,
  `usecase` as `usecase`,
  `validity_period` as `validity_period`,
  `date_created` as `created_at`,
  `date_updated` as `updated_at`,
  false as `_fivetran_deleted`,
  `_airbyte_extracted_at` as `_fivetran_synced`
from `twilio`.`messaging_services`;

create or replace view `twilio_dbt`.`outgoing_caller_id` as select
  `sid` as `id`,
  `friendly_name` as `friendly_name`,
  `phone_number` as `phone_number`,
  `date_created` as `created_at`,
  `date_updated` as `updated_at`,
  `_airbyte_extracted_at` as `_fivetran_synced`
from `twilio`.`outgoing_caller_ids`;

create or replace view `twilio_dbt`.`usage_record` as select
  `account_sid` as `account_id`,
  `as_of` as `as_of`,
  `category` as `category`,
  `count` as `count`,
  `count_unit` as `count_unit`,
  `description` as `description`,
  `end_date` as `end_date`,
  `price` as `price`,
  `price_unit` as `price_unit`,
  `start_date` as `start_date`,
  `usage` as `usage`,
  `usage_unit` as `usage_unit`,
  `_airbyte_extracted_at` as `_fivetran_synced`
from `twilio`.`usage_records`;
