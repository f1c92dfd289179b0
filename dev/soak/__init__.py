"""The completeness test: does the connector lose, change or invent rows?"""
