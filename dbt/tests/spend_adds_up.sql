-- The rows of an account and day add up to its totalprice.
select account_sid, day, currency, totalprice, sum(cost) as cost
from {{ ref('twilio__spend_by_day') }}
where totalprice is not null
group by account_sid, day, currency, totalprice
having sum(cost) <> totalprice
