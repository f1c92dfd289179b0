-- No join doubles or drops a message.
select counted.messages, listed.messages as listed
from (select coalesce(sum(messages), 0) as messages from {{ ref('twilio__messages_by_day') }}) as counted
cross join (select count(*) as messages from {{ ref('stg_twilio__messages') }}) as listed
where counted.messages <> listed.messages
