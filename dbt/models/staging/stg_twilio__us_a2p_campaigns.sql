{{ staged('us_a2p_campaigns', [
  ['sid', 'text'],
  ['account_sid', 'text'],
  ['messaging_service_sid', 'text'],
  ['brand_registration_sid', 'text'],
  ['us_app_to_person_usecase', 'text', 'usecase'],
  ['campaign_status', 'text'],
  ['campaign_id', 'text']
]) }}
