-- A row for each campaign, for each brand without one, and for each messaging service (or none) whose
-- messages to the US failed for want of a registration.
with campaigns as (
  select * from {{ ref('stg_twilio__us_a2p_campaigns') }}
),

brands as (
  select * from {{ ref('stg_twilio__a2p_brand_registrations') }}
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
  from {{ ref('int_twilio__messages') }}
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
left join {{ ref('stg_twilio__messaging_services') }} as services
  on services.sid = listed.messaging_service_sid
left join sent
  on sent.account_sid = listed.account_sid
  and sent.messaging_service_sid = listed.messaging_service_sid
  -- A brand without a campaign has sent nothing.
  and (listed.campaign_sid <> 'none' or listed.brand_sid = 'none')
